import { describe, expect, it, onTestFinished } from 'vitest';
import { KeptProgram } from '../../../src/node/programs/kept-program.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { StopSignal } from '../../../src/process/stop.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { until } from '../../helpers/until.ts';
import { launcherIn } from '../../process/programs.ts';

const KILL: StopSignal = { signal: 'SIGKILL', waitMs: 10_000 };

interface Bench {
  program: KeptProgram;
  crashes: string[];
  texts: string[];
}

/** Keeps a shell script as chmpx; agents with the same directory are one after the other. */
function keep(
  directory: string,
  text: string,
  stopSignals: [StopSignal, ...StopSignal[]] = [KILL],
): Bench {
  const crashes: string[] = [];
  const { log, texts } = recordingLog();
  const program = new KeptProgram({
    name: 'chmpx',
    command: '/bin/sh',
    args: ['-c', text],
    marks: [text],
    stopSignals,
    launcher: launcherIn(directory),
    clock: systemClock,
    log,
    onCrash: (reason) => crashes.push(reason),
  });
  onTestFinished(async () => {
    const { running } = program;
    running?.signal('SIGKILL');
    await running?.ended;
  });
  return { program, crashes, texts };
}

describe('a program that is kept', () => {
  it('is started, seen, and stopped, which is no crash', async () => {
    const { program, crashes, texts } = keep(await temporaryDirectory(), 'exec sleep 1000');
    expect(program.view()).toBeNull();
    await program.stop();
    const before = systemClock.monotonic();
    await program.start('g1');
    expect(program.view()?.generation).toBe('g1');
    expect(program.view()?.runningMs).toBeLessThanOrEqual(systemClock.monotonic() - before);
    await program.stop();
    expect(program.view()).toBeNull();
    expect(crashes).toEqual([]);
    expect(texts).toEqual(['started', 'stopped']);
  });

  it('is said to have crashed, with its last words, when it ends by itself', async () => {
    const { program, crashes } = keep(await temporaryDirectory(), 'echo no ring; exit 3');
    await program.start('g1');
    await until('it is gone', () => program.view() === null, { everyMs: 1 });
    expect(crashes).toEqual(['chmpx ended by itself (exit code 3): no ring']);
  });

  it('counts as crashed as soon as it counts as gone', async () => {
    const { program, crashes } = keep(await temporaryDirectory(), 'exec sleep 1000');
    await program.start('g1');
    const { running } = program;
    running?.signal('SIGKILL');
    await running?.ended;
    while (program.view() !== null) await new Promise(setImmediate);
    expect(crashes).toEqual(['chmpx ended by itself (SIGKILL): ']);
  });

  it('that crashed can be started again', async () => {
    const { program, crashes } = keep(await temporaryDirectory(), 'exit 3');
    for (const n of [1, 2]) {
      await program.start('g1');
      await until('the crash', () => crashes.length === n, { everyMs: 1 });
    }
  });

  it('that does not end in the time it is given gets the next signal', async () => {
    const text = "trap '' TERM; echo ready; exec sleep 1000";
    const TERM: StopSignal = { signal: 'SIGTERM', waitMs: 600_000 };
    const { program, crashes } = keep(await temporaryDirectory(), text, [TERM, KILL]);
    await program.start('g1');
    await until('it ignores TERM', async () => (await program.running?.lastOutput()) === 'ready');
    await program.stop(10);
    expect(program.view()).toBeNull();
    expect(crashes).toEqual([]);
  });

  it('that does not stop is still there', async () => {
    const text = "trap '' TERM; echo ready; exec sleep 1000";
    const TERM: StopSignal = { signal: 'SIGTERM', waitMs: 50 };
    const { program, crashes } = keep(await temporaryDirectory(), text, [TERM]);
    await program.start('g1');
    await until('it ignores TERM', async () => (await program.running?.lastOutput()) === 'ready');
    await expect(program.stop()).rejects.toThrow('did not end after SIGTERM');
    expect(program.view()?.generation).toBe('g1');
    expect(crashes).toEqual([]);
  });
});

describe('the program of an agent before', () => {
  it('is adopted with its generation, and stopped like one of its own', async () => {
    const directory = await temporaryDirectory();
    const before = keep(directory, 'exec sleep 1000');
    await before.program.start('g1');
    const { program, crashes } = keep(directory, 'exec sleep 1000');
    await program.adopt('g2');
    expect(program.view()?.generation).toBe('g1');
    expect(program.running?.identity).toEqual(before.program.running?.identity);
    await program.stop();
    expect(crashes).toEqual([]);
  });

  it('is adopted with what it has read at its start', async () => {
    const directory = await temporaryDirectory();
    const before = keep(directory, 'exec sleep 1000');
    await before.program.start('g1', { readAtStart: { '[K2HDKC] MAXTHREAD': '20' } });
    const { program } = keep(directory, 'exec sleep 1000');
    await program.adopt('g1');
    expect(program.running?.spec.readAtStart).toEqual({ '[K2HDKC] MAXTHREAD': '20' });
    await program.stop();
  });

  it('is seen to crash', async () => {
    const directory = await temporaryDirectory();
    const before = keep(directory, 'exec sleep 1000');
    await before.program.start('g1');
    const { program, crashes } = keep(directory, 'exec sleep 1000');
    await program.adopt('g1');
    before.program.running?.signal('SIGKILL');
    await until('the crash', () => crashes.length === 1);
    expect(crashes).toEqual(['chmpx ended by itself (exit code unknown): ']);
    expect(program.view()).toBeNull();
  });

  it('need not be there', async () => {
    const { program, texts } = keep(await temporaryDirectory(), 'exec sleep 1000');
    await program.adopt('g1');
    expect(program.view()).toBeNull();
    expect(texts).toEqual([]);
  });
});
