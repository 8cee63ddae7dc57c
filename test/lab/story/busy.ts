import { spawn } from 'node:child_process';

/** Turns for ever, and ends with whoever started it, however that ends. */
const LOOP = `const parent = process.ppid;
while (process.ppid === parent) for (const end = Date.now() + 200; Date.now() < end; );`;

/** Starts so many loops that each keep a core busy; gives what ends them. */
export function busyLoops(count: number): () => void {
  const loops = Array.from({ length: count }, () =>
    spawn(process.execPath, ['-e', LOOP], { stdio: 'ignore' }),
  );
  return () => {
    for (const loop of loops) loop.kill('SIGKILL');
  };
}
