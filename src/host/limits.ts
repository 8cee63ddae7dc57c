import { readFile } from 'node:fs/promises';
import { codeOf } from '../base/errors.ts';

/** A limit of this process, which its children inherit: `soft` now, `hard` at most. */
export interface Limit {
  soft: number;
  hard: number;
}

/** fs.mqueue.msg_max: the most messages that a POSIX message queue may hold; 0 where there are none. */
export async function queueMessageLimit(file = '/proc/sys/fs/mqueue/msg_max'): Promise<number> {
  try {
    return Number(await readFile(file, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** A limit by its name in /proc/PID/limits, such as `Max open files`; unlimited is Infinity. */
export async function processLimit(name: string, file = '/proc/self/limits'): Promise<Limit> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  const line = lines.find((text) => text.startsWith(`${name}  `));
  const [soft, hard] = line?.slice(name.length).trim().split(/\s+/) ?? [];
  if (soft === undefined || hard === undefined) throw new Error(`${file} has no ${name}`);
  return { soft: numberOf(soft), hard: numberOf(hard) };
}

function numberOf(word: string): number {
  return word === 'unlimited' ? Infinity : Number(word);
}
