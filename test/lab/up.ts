import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { endOf } from '../peers/child-end.ts';
import { cleanUp } from '../peers/vm/lab.ts';
import { namespacesPermitted } from '../peers/vm/permitted.ts';
import type { Say } from './control.ts';
import { keeperLog, makeLabDirectory } from './directory.ts';
import { STAY, type KeeperMessage, type KeeperOptions } from './keeper.ts';

/** A keeper that ends with this process, until it is told to stay. */
export interface StartedKeeper {
  stay(): void;
}

/** Starts the keeper of a new lab and resolves when the lab can be asked. */
export async function startKeeper(options: KeeperOptions, say: Say): Promise<StartedKeeper> {
  const reason = namespacesPermitted();
  if (reason !== null) throw new Error(`this machine does not permit simulated VMs: ${reason}`);
  const { directory } = options;
  makeLabDirectory(directory);
  await cleanUp(directory);
  const log = openSync(keeperLog(directory), 'a');
  const [script = ''] = process.argv.slice(1);
  const keeper = spawn(
    'unshare',
    ['--net', '--', process.execPath, script, 'keep', JSON.stringify(options)],
    { cwd: '/', stdio: ['ignore', log, log, 'ipc'], detached: true },
  );
  closeSync(log);
  const ended = endOf(keeper);
  const interrupt = (): void => {
    keeper.kill('SIGTERM');
    void ended.then(() => process.exit(130));
  };
  for (const signal of SIGNALS) process.once(signal, interrupt);
  await new Promise<void>((resolve, reject) => {
    keeper.on('message', (message: KeeperMessage) => {
      if ('line' in message) say(message.line);
      else if ('failed' in message) void ended.then(() => reject(new Error(message.failed)));
      else resolve();
    });
    const gone = `it ended at once: see ${keeperLog(directory)}`;
    ended.then(() => setImmediate(() => reject(new Error(gone))), reject);
  });
  return {
    stay() {
      for (const signal of SIGNALS) process.off(signal, interrupt);
      keeper.send(STAY, () => keeper.disconnect());
      keeper.unref();
    },
  };
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
