import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Outbox } from '../../../src/guest/report/outbox.ts';
import { Reporter } from '../../../src/guest/report/reporter.ts';
import { openSentClock } from '../../../src/guest/report/sent-file.ts';
import { Backoff } from '../../../src/base/backoff.ts';
import { silentLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { WatchedClock } from '../../base/watched-clock.ts';

/** A clock whose time of day can be set. */
class SettableClock extends WatchedClock {
  #offset = 1_800_000_000_000;

  override wall(): number {
    return super.wall() + this.#offset;
  }

  step(ms: number): void {
    this.#offset += ms;
  }
}

/** A heartbeat: when it was sent, by a clock that never steps (ms), and its `sent`. */
interface Beat {
  at: number;
  sent: number;
}

const HOUR = 3_600_000;

/** An agent that is healthy; its heartbeats go to `beats`. */
async function agentFrom(
  stateDirectory: string,
  clock: SettableClock,
  beats: Beat[],
): Promise<() => Promise<void>> {
  const outbox = await Outbox.open({
    stateDirectory,
    send: ({ args }) => {
      beats.push({ at: clock.monotonic(), sent: args['sent'] as number });
      return Promise.resolve('confirmed');
    },
    repeatMs: 15_000,
    nextSent: openSentClock(path.join(stateDirectory, 'sent'), clock, silentLog),
    clock,
    backoff: new Backoff({ first: 250, cap: 5_000 }, () => 0.5),
    log: silentLog,
  });
  const reporter = new Reporter({
    instanceId: 'i-1',
    outbox,
    status: () => 'healthy',
    intervalMs: 30_000,
    repeatMs: 2_000,
    closely: { intervalMs: 10_000, forMs: 60_000 },
    clock,
    random: () => 1,
    log: silentLog,
  });
  const ending = new AbortController();
  const running = Promise.all([reporter.run(ending.signal), outbox.run(ending.signal)]);
  const stop = async (): Promise<void> => {
    ending.abort();
    await running;
  };
  onTestFinished(stop);
  await clock.advance(0);
  return stop;
}

describe('heartbeats', () => {
  it.each([
    ['back by an hour', -HOUR],
    ['back by years', -10_000 * HOUR],
    ['on by an hour', HOUR],
    ['on by years', 10_000 * HOUR],
  ])('go on when the clock steps %s', async (_step, ms) => {
    const clock = new SettableClock();
    const beats: Beat[] = [];
    await agentFrom(await temporaryDirectory(), clock, beats);
    for (let n = 0; n < 4; n++) {
      await clock.advance(70_000);
      clock.step(n % 2 === 0 ? ms : -ms);
    }
    await clock.advance(70_000);
    expect(beats.length).toBeGreaterThan(11);
    for (const [n, beat] of beats.slice(1).entries()) {
      expect(beat.at - (beats[n]?.at ?? NaN)).toBeLessThanOrEqual(30_000);
      expect(beat.sent).toBeGreaterThan(beats[n]?.sent ?? NaN);
    }
  });

  it('have an ever greater sent over restarts of the agent and steps of the clock', async () => {
    const state = await temporaryDirectory();
    const clock = new SettableClock();
    const beats: Beat[] = [];
    for (const step of [0, -HOUR, 5_000, -1]) {
      clock.step(step);
      const stop = await agentFrom(state, clock, beats);
      await clock.advance(40_000);
      await stop();
    }
    const sent = beats.map((beat) => beat.sent);
    expect(sent.length).toBeGreaterThan(8);
    expect(sent).toEqual([...new Set(sent)].sort((a, b) => a - b));
  });
});
