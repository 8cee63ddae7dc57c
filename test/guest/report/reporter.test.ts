import { describe, expect, it, onTestFinished } from 'vitest';
import { Outbox } from '../../../src/guest/report/outbox.ts';
import { Reporter } from '../../../src/guest/report/reporter.ts';
import { Backoff } from '../../../src/base/backoff.ts';
import type { ServiceStatus } from '../../../src/trove/statuses.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { WatchedClock } from '../../base/watched-clock.ts';

interface Bench {
  reporter: Reporter;
  clock: WatchedClock;
  /** What was said, with the time when. */
  said: [number, ServiceStatus][];
  texts: string[];
  be: (status: ServiceStatus | null) => void;
}

/** Never: most tests are about the other times. */
const NOT_CLOSELY = { intervalMs: 1, forMs: 0 };

async function report(random = 1, closely = NOT_CLOSELY): Promise<Bench> {
  const clock = new WatchedClock();
  const { log, texts } = recordingLog();
  const said: Bench['said'] = [];
  const outbox = await Outbox.open({
    stateDirectory: await temporaryDirectory(),
    send: ({ args }) => {
      const { service_status } = args['payload'] as { service_status: ServiceStatus };
      expect(args['instance_id']).toBe('instance-1');
      said.push([clock.monotonic(), service_status]);
      return Promise.resolve('confirmed');
    },
    repeatMs: 15_000,
    nextSent: () => 1,
    clock,
    backoff: new Backoff({ first: 250, cap: 5_000 }, () => 0.5),
    log,
  });
  let status: ServiceStatus | null = null;
  const reporter = new Reporter({
    instanceId: 'instance-1',
    outbox,
    status: () => status,
    intervalMs: 30_000,
    repeatMs: 1_000,
    closely,
    clock,
    random: () => random,
    log,
  });
  const ending = new AbortController();
  const running = Promise.all([reporter.run(ending.signal), outbox.run(ending.signal)]);
  onTestFinished(async () => {
    ending.abort();
    await running;
    expect(clock.delays).toEqual([]);
  });
  await clock.advance(0);
  return { reporter, clock, said, texts, be: (next) => (status = next) };
}

describe('the reporter', () => {
  it('says nothing before prepare', async () => {
    const { clock, reporter, said } = await report();
    reporter.look();
    reporter.repeat();
    await clock.advance(100_000);
    expect(said).toEqual([]);
  });

  it('says a change at once, once more a second later, and not at every look', async () => {
    const { clock, reporter, said, be, texts } = await report();
    await clock.advance(5_000);
    be('building');
    reporter.look();
    reporter.look();
    await clock.advance(0);
    expect(said).toEqual([[5_000, 'building']]);
    await clock.advance(29_000);
    reporter.look();
    expect(said).toEqual([
      [5_000, 'building'],
      [6_000, 'building'],
    ]);
    expect(texts).toEqual(['status for Trove']);
  });

  it('says an unchanged status once per interval', async () => {
    const { clock, reporter, said, be } = await report();
    be('healthy');
    reporter.look();
    await clock.advance(91_000);
    expect(said.map(([at]) => at)).toEqual([0, 1_000, 31_000, 61_000, 91_000]);
  });

  it('never pauses longer than asked for, and not all guests alike', async () => {
    const { clock, reporter, said, be } = await report(0);
    be('healthy');
    reporter.look();
    await clock.advance(60_000);
    expect(said.map(([at]) => at)).toEqual([0, 1_000, 28_000, 55_000]);
  });

  it('counts the interval from the change', async () => {
    const { clock, reporter, said, be } = await report();
    be('running');
    reporter.look();
    await clock.advance(20_000);
    be('healthy');
    reporter.look();
    await clock.advance(31_000);
    expect(said).toEqual([
      [0, 'running'],
      [1_000, 'running'],
      [20_000, 'healthy'],
      [21_000, 'healthy'],
      [51_000, 'healthy'],
    ]);
  });

  it('says the second one of two quick changes twice', async () => {
    const { clock, reporter, said, be } = await report();
    be('instance ready');
    reporter.look();
    await clock.advance(500);
    be('healthy');
    reporter.look();
    await clock.advance(2_000);
    expect(said).toEqual([
      [0, 'instance ready'],
      [500, 'healthy'],
      [1_500, 'healthy'],
    ]);
  });

  it('repeats at once when the session is there again', async () => {
    const { clock, reporter, said, be } = await report();
    be('healthy');
    reporter.look();
    await clock.advance(11_000);
    reporter.repeat();
    await clock.advance(0);
    expect(said.at(-1)).toEqual([11_000, 'healthy']);
    await clock.advance(30_000);
    expect(said.map(([at]) => at)).toEqual([0, 1_000, 11_000, 41_000]);
  });

  it('says it more often for some time after the start and after a change', async () => {
    const { clock, reporter, said, be } = await report(1, { intervalMs: 10_000, forMs: 35_000 });
    be('healthy');
    reporter.look();
    await clock.advance(101_000);
    const times = [0, 1_000, 11_000, 21_000, 31_000, 41_000, 71_000, 101_000];
    expect(said.map(([at]) => at)).toEqual(times);
    be('running');
    reporter.look();
    await clock.advance(11_000);
    expect(said.map(([at]) => at)).toEqual([...times, 101_000, 102_000, 112_000]);
  });

  it('says it twice when an operation has ended, and more often then: Trove may have written its own', async () => {
    const { clock, reporter, said, be } = await report(1, { intervalMs: 10_000, forMs: 15_000 });
    be('running');
    reporter.look();
    await clock.advance(120_000);
    said.length = 0;
    reporter.operationEnded();
    await clock.advance(42_000);
    expect(said).toEqual([120_000, 121_000, 131_000, 141_000].map((at) => [at, 'running']));
  });

  it('falls silent when there is nothing to say any more', async () => {
    const { clock, reporter, said, be } = await report();
    be('healthy');
    reporter.look();
    await clock.advance(2_000);
    be(null);
    await clock.advance(100_000);
    expect(said).toHaveLength(2);
    be('building');
    reporter.look();
    await clock.advance(0);
    expect(said.at(-1)).toEqual([102_000, 'building']);
  });
});
