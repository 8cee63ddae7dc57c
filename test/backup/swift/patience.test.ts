import { describe, expect, it } from 'vitest';
import { Patience, patiently, type PatienceParts } from '../../../src/backup/swift/patience.ts';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { AgentError } from '../../../src/base/errors.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { recordingLog } from '../../helpers/recording-log.ts';

const PASSING = new AgentError('503', { retryable: true });
/** A clock on which every wait is over at once. */
const HASTE: Clock = { ...systemClock, after: (_ms, run) => systemClock.after(0, run) };

function bench(change: Partial<PatienceParts> = {}) {
  const { log, texts, lines } = recordingLog();
  const { signal } = new AbortController();
  const parts: PatienceParts = { clock: HASTE, random: () => 0.5, log, signal, ...change };
  /** Fails so often, then succeeds. */
  const failing = (times: number, failure: Error = PASSING) => {
    let calls = 0;
    const work = (): Promise<string> =>
      ++calls > times ? Promise.resolve('done') : Promise.reject(failure);
    return { work, calls: () => calls };
  };
  return { parts, texts, lines, failing };
}

describe('patiently', () => {
  it('bears nine failures in a row, each with a line that says why and how long it waits', async () => {
    const { parts, lines, failing } = bench();
    expect(await patiently(parts, failing(9).work)).toBe('done');
    expect(lines.map(({ why }) => why)).toEqual(Array(9).fill('503'));
    expect(lines.map(({ pauseMs }) => pauseMs)).toEqual([
      250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000,
    ]);
  });

  it('throws the tenth', async () => {
    const { parts, failing } = bench();
    const { work, calls } = failing(10);
    await expect(patiently(parts, work)).rejects.toBe(PASSING);
    expect(calls()).toBe(10);
  });

  it.each([
    ['a failure that stays', new AgentError('401')],
    ['an error of a program', new TypeError('undefined is no function')],
  ])('does not bear %s', async (_what, failure) => {
    const { parts, texts, failing } = bench();
    const { work, calls } = failing(1, failure);
    await expect(patiently(parts, work)).rejects.toBe(failure);
    expect([calls(), texts]).toEqual([1, []]);
  });
});

it('progress in between begins the count and the pauses again', async () => {
  const { parts, lines } = bench({ pauses: { first: 1, cap: 8 } });
  const patience = new Patience(parts);
  for (let n = 0; n < 9; n++) await patience.bear(PASSING);
  patience.renew();
  await patience.bear(PASSING);
  expect(lines.map(({ pauseMs }) => pauseMs)).toEqual([1, 2, 4, 8, 8, 8, 8, 8, 8, 1]);
});

it('an abort ends the wait with its reason, and lets nothing more be borne', async () => {
  const ending = new AbortController();
  const { parts } = bench({ clock: new ManualClock(), signal: ending.signal });
  const patience = new Patience(parts);
  const waiting = patience.bear(PASSING);
  const reason = new Error('the agent ends');
  ending.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(patience.bear(PASSING)).rejects.toBe(PASSING);
});
