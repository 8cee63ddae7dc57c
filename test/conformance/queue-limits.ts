import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hasCapability } from '../helpers/capabilities.ts';

const MSG_MAX = '/proc/sys/fs/mqueue/msg_max';

/** How many messages a queue can hold, and how a program is started under that limit. */
export interface QueueLimit {
  limit: number;
  /** The words before the command. */
  before: readonly string[];
}

/**
 * These limits, each in an IPC namespace of its own, whatever this machine's is: fs.mqueue belongs to
 * the namespace. Who has CAP_SYS_RESOURCE may exceed them (mq_overview(7)), so that goes. Where
 * namespaces are not permitted, the limit of this machine.
 */
export function queueLimits(...wanted: number[]): QueueLimit[] {
  const all = wanted.map((limit) => ({ limit, before: inNamespace(limit) }));
  const permitted = all.every(({ before: [command = '', ...words] }) => {
    return spawnSync(command, [...words, 'true']).status === 0;
  });
  if (permitted) return all;
  const here = Number(readFileSync(MSG_MAX, 'utf8'));
  return [{ limit: hasCapability('sys_resource') ? Infinity : here, before: [] }];
}

function inNamespace(limit: number): string[] {
  const script = `echo ${limit} > ${MSG_MAX} && exec setpriv --bounding-set -sys_resource -- "$@"`;
  return ['unshare', '--ipc', '--', 'sh', '-c', script, 'sh'];
}
