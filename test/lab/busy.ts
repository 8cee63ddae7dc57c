import { spawn } from 'node:child_process';
import { endOf } from '../peers/child-end.ts';

/** Starts so many busy loops; gives what ends them. They end with us too: their input closes. */
export function startBusyLoops(count: number): () => Promise<void> {
  const loop =
    'process.stdin.on("end", () => process.exit()).resume();(function f(){const t=Date.now();while(Date.now()-t<20);setImmediate(f)})()';
  const loops = Array.from({ length: count }, () =>
    spawn(process.execPath, ['-e', loop], { stdio: ['pipe', 'ignore', 'ignore'] }),
  );
  return async () => {
    for (const one of loops) one.kill('SIGKILL');
    await Promise.all(loops.map(endOf));
  };
}
