import { expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { isAlive } from '../../src/process/identity.ts';
import type { RunningProgram } from '../../src/process/launcher.ts';
import { stopProgram, type StopSignal } from '../../src/process/stop.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';
import { WatchedClock } from '../base/watched-clock.ts';
import { adopted, launched, launcherIn, script, SLEEPER } from './programs.ts';

/** As chmpx: TERM does nothing to it. */
const STUBBORN = script('stubborn', "trap '' TERM; echo ready; exec sleep 1000");
const HUP: StopSignal = { signal: 'SIGHUP', waitMs: 10_000 };
const TERM: StopSignal = { signal: 'SIGTERM', waitMs: 50 };
const KILL: StopSignal = { signal: 'SIGKILL', waitMs: 10_000 };

async function stubborn(): Promise<RunningProgram> {
  const program = await launched(launcherIn(await temporaryDirectory()), STUBBORN);
  await until('it ignores TERM', async () => (await program.lastOutput()) === 'ready');
  return program;
}

it('ends a program by the first signal that works', async () => {
  const program = await launched(launcherIn(await temporaryDirectory()), SLEEPER);
  await stopProgram(program, [{ ...TERM, waitMs: 10_000 }, KILL], systemClock);
  expect(await program.ended).toEqual({ code: null, signal: 'SIGTERM' });
});

it('goes on to the next signal when one does not work in time', async () => {
  const program = await stubborn();
  await stopProgram(program, [TERM, HUP], systemClock);
  expect(await program.ended).toEqual({ code: null, signal: 'SIGHUP' });
});

it('kills what ignores everything else', async () => {
  const program = await stubborn();
  await stopProgram(program, [TERM, KILL], systemClock);
  expect(await program.ended).toEqual({ code: null, signal: 'SIGKILL' });
});

it('ends an adopted program too', async () => {
  const directory = await temporaryDirectory();
  await launched(launcherIn(directory), STUBBORN);
  const program = await adopted(launcherIn(directory), STUBBORN);
  await stopProgram(program, [KILL], systemClock);
  expect(isAlive(program.identity)).toBe(false);
});

it('has nothing to do when the program is gone', async () => {
  const program = await launched(launcherIn(await temporaryDirectory()), script('quick', 'exit 0'));
  await program.ended;
  const clock = new WatchedClock();
  await stopProgram(program, [TERM, KILL], clock);
  expect(clock.delays).toEqual([]);
});

it('says which program outlives which signals', async () => {
  const program = await stubborn();
  await expect(stopProgram(program, [TERM, TERM], systemClock)).rejects.toThrow(
    `stubborn (PID ${program.identity.pid}) did not end after SIGTERM, SIGTERM: look at it with ps`,
  );
  expect(isAlive(program.identity)).toBe(true);
});
