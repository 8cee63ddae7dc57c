import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { readBootId } from '../../src/host/boot-id.ts';
import { DirectStarter } from '../../src/process/direct-starter.ts';
import type { Launcher, ProgramSpec, RunningProgram } from '../../src/process/launcher.ts';
import { RecordedLauncher } from '../../src/process/recorded-launcher.ts';

export const BOOT_ID = readBootId();

/** A launcher that keeps its files in `directory`. */
export function launcherIn(directory: string, bootId = BOOT_ID): RecordedLauncher {
  const starter = new DirectStarter({ directory, user: null });
  return new RecordedLauncher({ starter, directory, bootId, clock: systemClock, pollMs: 10 });
}

/** A spec whose marks are its arguments. */
export function specOf(program: Pick<ProgramSpec, 'name' | 'command' | 'args'>): ProgramSpec {
  return { ...program, marks: program.args, stopSignal: 'SIGTERM', generation: 'g1' };
}

/** Runs a shell script without a process for each of its commands, so that none is left over. */
export function script(name: string, text: string): ProgramSpec {
  return specOf({ name, command: '/bin/sh', args: ['-c', text] });
}

/** Does nothing for as long as it is let. */
export const SLEEPER: ProgramSpec = script('sleeper', 'exec sleep 1000');

/** A program in a file of its own, which stops itself and is there until it is killed. */
export async function programFile(directory: string, ...args: string[]): Promise<ProgramSpec> {
  const command = path.join(directory, 'program');
  await writeFile(command, '#!/bin/sh\nkill -STOP $$\n');
  await chmod(command, 0o755);
  return specOf({ name: 'program', command, args });
}

/** Launches a program that is killed at the latest when the test is over. */
export async function launched(launcher: Launcher, spec: ProgramSpec): Promise<RunningProgram> {
  return killedAfterTest(await launcher.launch(spec));
}

/** Adopts a program, which must be there; it is killed at the latest when the test is over. */
export async function adopted(launcher: Launcher, spec: ProgramSpec): Promise<RunningProgram> {
  const program = await launcher.adopt(spec);
  if (!program) throw new Error(`no ${spec.name} to adopt`);
  return killedAfterTest(program);
}

function killedAfterTest(program: RunningProgram): RunningProgram {
  onTestFinished(async () => {
    program.signal('SIGKILL');
    await program.ended;
  });
  return program;
}
