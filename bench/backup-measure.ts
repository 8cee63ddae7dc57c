import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { sleep, systemClock } from '../src/base/clock.ts';
import { identify, processTree, type ProcessIdentity } from '../test/peers/processes.ts';
import { cpuSecondsOf } from './figures.ts';

/** What a program needed. */
export interface Usage {
  /** Seconds. */
  wall: number;
  /** Seconds of user and system time of the program and everything it started. */
  cpu: number;
  /** MiB of all its processes together, at the worst moment that was seen. */
  resident: number;
  /** MiB of files that it had for itself at the worst moment that was seen. */
  temporary: number;
  /** Seconds of CPU time that Swift needed meanwhile. */
  swiftCpu: number;
  output: string;
}

/** A program to be measured. */
export interface Subject {
  command: string;
  args: readonly string[];
  environment: Record<string, string>;
  /** Its files are in here. */
  directory: string;
  /** Whether a file is counted as temporary: what is put in, and what is to come out, is not. */
  isTemporary: (name: string) => boolean;
}

const SAMPLE_MS = 50;

/** Runs a program to its end. Bash reports its times, which include those of its children. */
export async function measure(subject: Subject, swift: ProcessIdentity): Promise<Usage> {
  const { command, args, environment, directory } = subject;
  const log = path.join(directory, 'stderr.log');
  const script = 'log=$1; shift; TIMEFORMAT="%R %U %S"; time "$@" 2>>"$log"';
  const before = cpuOf(swift);
  const child = spawn('/bin/bash', ['-c', script, 'bash', log, command, ...args], {
    env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await once(child, 'spawn');
  const bash = identify(child.pid ?? 0);
  const closed = once(child, 'close') as Promise<[number | null]>;
  const worst = { resident: 0, temporary: 0, over: false };
  const watching = bash && watch(bash, subject, worst);
  const [output, times, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    closed,
  ]);
  worst.over = true;
  await watching;
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${readFileSync(log, 'utf8')}`);
  const [wall = NaN, user = NaN, system = NaN] = times.trim().split(' ').map(Number);
  const { resident, temporary } = worst;
  const swiftCpu = cpuOf(swift) - before;
  return { wall, cpu: user + system, resident, temporary, swiftCpu, output };
}

async function watch(
  bash: ProcessIdentity,
  { directory, isTemporary }: Subject,
  worst: { resident: number; temporary: number; over: boolean },
): Promise<void> {
  while (!worst.over) {
    const resident = processTree(bash)
      .filter(({ pid }) => pid !== bash.pid)
      .reduce((sum, { pid }) => sum + residentOf(pid), 0);
    worst.resident = Math.max(worst.resident, resident);
    worst.temporary = Math.max(worst.temporary, await filesIn(directory, isTemporary));
    await sleep(systemClock, SAMPLE_MS);
  }
}

/** VmRSS in MiB (proc(5)); 0 when it is gone. */
function residentOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

async function filesIn(directory: string, isTemporary: (name: string) => boolean): Promise<number> {
  // A folder may go while it is looked into.
  const files = await readdir(directory, { withFileTypes: true, recursive: true }).catch(() => []);
  let bytes = 0;
  for (const file of files) {
    if (!file.isFile() || !isTemporary(file.name)) continue;
    const facts = await stat(path.join(file.parentPath, file.name)).catch(() => undefined);
    bytes += facts?.size ?? 0;
  }
  return bytes / 1024 ** 2;
}

function cpuOf(root: ProcessIdentity): number {
  return processTree(root).reduce((sum, { pid }) => sum + cpuSecondsOf(pid), 0);
}
