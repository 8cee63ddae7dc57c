import { writeFileSync } from 'node:fs';

/** Gives this Node process the name that `ps -o comm` shows for the real program. */
export function setProcessName(name: string): void {
  writeFileSync('/proc/self/comm', name);
}

/** Kills this process as a crash does, `ms` milliseconds from now; `undefined` for never. */
export function scheduleCrash(ms: number | undefined): void {
  if (ms === undefined) return;
  setTimeout(() => {
    process.kill(process.pid, 'SIGKILL');
  }, ms);
}
