import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NotSent } from '../../../src/amqp/message.ts';
import { Outbox } from '../../../src/guest/report/outbox.ts';
import { Backoff } from '../../../src/base/backoff.ts';
import type { ConductorMessage } from '../../../src/trove/conductor-messages.ts';
import { deferred, type Deferred } from '../../helpers/deferred.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { until } from '../../helpers/until.ts';
import { WatchedClock } from '../../base/watched-clock.ts';

type Outcome = 'confirmed' | 'returned';

const message = (name: string): ConductorMessage => ({
  method: 'notify_end',
  args: { name },
  context: {},
});
const status = (name: string): ConductorMessage => ({
  method: 'heartbeat',
  args: { name },
  context: {},
});
const backup = (name: string, state = 'COMPLETED'): ConductorMessage => ({
  method: 'update_backup',
  args: { name, state, backup_id: name.slice(0, 2) },
  context: {},
});

interface Bench {
  outbox: Outbox;
  clock: WatchedClock;
  /** What was sent, by name. */
  sent: string[];
  messages: ConductorMessage[];
  texts: string[];
  directory: string;
  /** What the next sendings come to; confirmed when there is none. */
  outcomes: (Outcome | Error | Promise<Outcome>)[];
  run: () => void;
  stop: () => Promise<void>;
}

/** Longer than any test, unless it is about that. */
const NEVER_MS = 10_000_000;

async function bench(directory?: string, repeatMs = NEVER_MS): Promise<Bench> {
  const stateDirectory = directory ?? (await temporaryDirectory());
  const clock = new WatchedClock();
  const { log, texts } = recordingLog();
  const messages: ConductorMessage[] = [];
  const outcomes: Bench['outcomes'] = [];
  let sentBefore = 0;
  const outbox = await Outbox.open({
    stateDirectory,
    send: async (one) => {
      messages.push(one);
      const outcome = (await outcomes.shift()) ?? 'confirmed';
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    nextSent: () => ++sentBefore,
    repeatMs,
    clock,
    backoff: new Backoff({ first: 250, cap: 5_000, jitter: 0 }, () => 0.5),
    log,
  });
  const ending = new AbortController();
  let running: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    ending.abort();
    await running;
  };
  onTestFinished(stop);
  return {
    outbox,
    clock,
    messages,
    texts,
    outcomes,
    directory: path.join(stateDirectory, 'outbox'),
    get sent() {
      return messages.map(({ args }) => String(args['name']));
    },
    run: () => {
      running = outbox.run(ending.signal);
    },
    stop,
  };
}

describe('the order', () => {
  it('is that in which they were posted', async () => {
    const { outbox, clock, run, ...rest } = await bench();
    outbox.postStatus(status('building'));
    await outbox.postDurable('1', message('end'));
    outbox.postStatus(status('healthy'));
    await outbox.postDurable('0', message('another'));
    run();
    await until('all are sent', () => rest.messages.length === 4);
    expect(rest.messages.map(({ args }) => args['name'])).toEqual([
      'building',
      'end',
      'healthy',
      'another',
    ]);
    expect(await clock.untilWaiting()).toBe(3_600_000);
  });

  it('lets the newest status win over those that wait, but not over a notification', async () => {
    const box = await bench();
    box.outbox.postStatus(status('building'));
    box.outbox.postStatus(status('instance ready'));
    await box.outbox.postDurable('1', message('end'));
    box.outbox.postStatus(status('running'));
    box.outbox.postStatus(status('healthy'));
    box.run();
    await until('all are sent', () => box.sent.length === 3);
    expect(box.sent).toEqual(['instance ready', 'end', 'healthy']);
  });

  it('gives each sending a sent of its own, also a second one of the same status', async () => {
    const box = await bench();
    box.outcomes.push('returned');
    box.outbox.postStatus(status('healthy'));
    box.run();
    await box.clock.advance(250);
    expect(box.messages.map(({ args }) => args['sent'])).toEqual([1, 2]);
  });
});

describe('a status that comes while one is sent', () => {
  async function sending(): Promise<Bench & { sending: Deferred<Outcome> }> {
    const box = await bench();
    const outcome = deferred<Outcome>();
    box.outcomes.push(outcome.promise);
    box.outbox.postStatus(status('running'));
    box.run();
    await box.clock.advance(0);
    return { ...box, sending: outcome, sent: box.sent };
  }

  it('is sent after it', async () => {
    const box = await sending();
    box.outbox.postStatus(status('crashed'));
    box.outbox.postStatus(status('healthy'));
    box.sending.resolve('confirmed');
    await box.clock.advance(0);
    expect(box.messages.map(({ args }) => args['name'])).toEqual(['running', 'healthy']);
  });

  it.each([0, 1, 2, 3, 4, 5, 6])('is not lost %i turns after the confirm', async (turns) => {
    const box = await sending();
    box.sending.resolve('confirmed');
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    box.outbox.postStatus(status('healthy'));
    await box.clock.advance(0);
    expect(box.messages.map(({ args }) => args['name'])).toEqual(['running', 'healthy']);
  });
});

describe('of a backup', () => {
  it('two states are sent a second apart, whatever waits', async () => {
    const box = await bench();
    await box.outbox.postDurable('1', backup('b1 begins', 'BUILDING'));
    await box.outbox.postDurable('2', backup('b1 ends', 'FAILED'));
    await box.outbox.postDurable('3', message('end'));
    await box.clock.advance(5_000);
    box.run();
    await until('both are waited for', () => box.clock.delays[0] === 1_000);
    expect(box.sent).toEqual(['b1 begins']);
    box.outbox.postStatus(status('healthy'));
    await box.clock.advance(999);
    expect(box.sent).toEqual(['b1 begins']);
    await box.clock.advance(1);
    await until('all are sent', () => box.sent.length === 4);
    expect(box.sent).toEqual(['b1 begins', 'b1 ends', 'end', 'healthy']);
  });

  it('the outcome waits a second behind what an earlier agent may have said just before', async () => {
    const state = await temporaryDirectory();
    await (await bench(state)).outbox.postDurable('1', backup('b1 ends'));
    const box = await bench(state);
    box.run();
    expect(await box.clock.untilWaiting()).toBe(1_000);
    expect(box.sent).toEqual([]);
    await box.clock.advance(1_000);
    await until('it is sent', () => box.sent.length === 1);
  });
});

describe('after a lost connection', () => {
  it('the outcomes of the last minute are said again, with a new sent', async () => {
    const box = await bench();
    await box.clock.advance(1_000);
    box.run();
    const say = async (name: string, state: string): Promise<void> => {
      await box.outbox.postDurable(name, backup(name, state));
      await until('it is sent', () => box.sent.at(-1) === name);
      await until('it is delivered', async () => (await readdir(box.directory)).length === 0);
      await box.clock.advance(25_000);
    };
    await say('b1 ends', 'COMPLETED');
    await say('b2 begins', 'BUILDING');
    await say('b2 ends', 'FAILED');
    await say('b3 ends', 'COMPLETED');
    box.outbox.connected();
    await until('it is said again', () => box.sent.length === 5);
    await box.clock.advance(1_000);
    await until('they are said again', () => box.sent.length === 6);
    expect(box.sent.slice(4)).toEqual(['b2 ends', 'b3 ends']);
    expect(box.messages.map(({ args }) => args['sent'])).toEqual([1, 2, 3, 4, 5, 6]);
    await box.clock.advance(60_000);
    box.outbox.connected();
    await box.clock.advance(10_000);
    expect(box.sent).toHaveLength(6);
  });
});

describe('what was delivered', () => {
  const fault = (name: string): ConductorMessage => ({
    method: 'notify_exc_info',
    args: { name },
    context: {},
  });

  async function said(...messages: ConductorMessage[]): Promise<Bench> {
    const box = await bench(undefined, 15_000);
    await box.clock.advance(1_000);
    box.run();
    for (const [index, one] of messages.entries()) {
      await box.outbox.postDurable(String(index), one);
      await until('it is sent', () => box.sent.length === index + 1);
    }
    await until('it is delivered', async () => (await readdir(box.directory)).length === 0);
    await box.clock.untilWaiting();
    box.messages.length = 0;
    return box;
  }

  it.each([
    ['an outcome', backup('b1 ends'), 2],
    ['an end', message('end'), 2],
    ['a fault', fault('it fails'), 3],
    ['the beginning of a backup', backup('b1 begins', 'BUILDING'), 1],
  ])('%s is said again: the conductor can lose it', async (_, one, times) => {
    const box = await said(one);
    await box.clock.advance(14_999);
    expect(box.sent).toEqual([]);
    await box.clock.advance(1);
    expect(box.sent).toHaveLength(Math.min(times - 1, 1));
    await box.clock.untilWaiting();
    await box.clock.advance(600_000);
    expect(box.sent).toHaveLength(times - 1);
  });

  it('gives way to a newer fault, and outcomes of two backups do not', async () => {
    const box = await said(backup('b1 ends'), fault('first'), message('end'));
    await box.clock.advance(10_000);
    await box.outbox.postDurable('x', fault('second'));
    await until('the second is delivered', async () => (await readdir(box.directory)).length === 0);
    await box.outbox.postDurable('y', backup('b2 ends'));
    await until('b2 is delivered', async () => (await readdir(box.directory)).length === 0);
    await box.clock.untilWaiting();
    await box.clock.advance(5_000);
    await until('what is due is said', () => box.sent.length === 4);
    expect(box.sent.slice(2)).toEqual(['b1 ends', 'end']);
    await box.clock.advance(10_000);
    await until('the rest is said', () => box.sent.length === 6);
    expect(box.sent.slice(4).sort()).toEqual(['b2 ends', 'second']);
  });

  it('is not said again behind a newer word that waits', async () => {
    const box = await said(fault('first'));
    await box.clock.advance(14_000);
    box.outcomes.push(...Array.from({ length: 3 }, () => new NotSent('no session')));
    await box.outbox.postDurable('x', fault('second'));
    await until('it is tried', () => box.sent.length === 1);
    await box.clock.advance(1_750);
    await until('it is delivered', async () => (await readdir(box.directory)).length === 0);
    expect(box.sent).toEqual(Array.from({ length: box.sent.length }, () => 'second'));
  });

  it('is said again once, however often the connection is lost then', async () => {
    const box = await said(fault('it fails'), message('end'));
    box.outbox.connected();
    box.outbox.connected();
    await until('both are said again', () => box.sent.length === 2);
    await box.clock.untilWaiting();
    await box.clock.advance(60_000);
    await until('they are said', () => box.sent.length === 5);
    await box.clock.untilWaiting();
    await box.clock.advance(600_000);
    expect(box.sent.filter((name) => name === 'end')).toHaveLength(2);
    expect(box.sent.filter((name) => name === 'it fails')).toHaveLength(3);
  });
});

describe('what an agent has delivered that ends before it is said again', () => {
  it('is said once more by the next one', async () => {
    const state = await temporaryDirectory();
    const before = await bench(state, 15_000);
    await before.outbox.postDurable('1', message('end'));
    before.run();
    await before.clock.untilWaiting();
    await before.stop();
    const box = await bench(state, 15_000);
    box.outcomes.push(new NotSent('no session'));
    box.run();
    await box.clock.untilWaiting();
    box.outbox.connected();
    await until('it is said again', () => box.sent.length === 2);
    await box.clock.untilWaiting();
    await box.clock.advance(600_000);
    await box.stop();
    expect(box.sent).toEqual(['end', 'end']);
    const third = await bench(state, 15_000);
    third.run();
    await third.clock.untilWaiting();
    expect(third.sent).toEqual([]);
  });
});

describe('what is not delivered', () => {
  it('is sent again after ever longer pauses, and Trove being away is said once', async () => {
    const box = await bench();
    box.outcomes.push('returned', 'returned', 'returned');
    box.run();
    await box.clock.advance(0);
    box.outbox.postStatus(status('healthy'));
    await box.clock.advance(0);
    expect(box.messages).toHaveLength(1);
    expect(box.clock.delays).toEqual([250]);
    await box.clock.advance(250);
    expect(box.clock.delays).toEqual([500]);
    await box.clock.advance(500);
    expect(box.clock.delays).toEqual([1_000]);
    await box.clock.advance(1_000);
    expect(box.messages).toHaveLength(4);
    expect(box.texts).toEqual([
      'the conductor has no queue: is trove-conductor running? trying again',
    ]);
  });

  it('waits for the session, and goes out as soon as it is there', async () => {
    const box = await bench();
    box.outcomes.push(
      new NotSent('no session'),
      new NotSent('no session'),
      new NotSent('no session'),
    );
    box.outbox.postStatus(status('healthy'));
    box.run();
    await box.clock.advance(250 + 500);
    expect(box.messages).toHaveLength(3);
    box.outbox.connected();
    await box.clock.advance(0);
    expect(box.messages).toHaveLength(4);
    box.outcomes.push('returned');
    box.outbox.postStatus(status('running'));
    await box.clock.advance(0);
    expect(box.clock.delays).toEqual([250]);
  });

  it('keeps its place', async () => {
    const box = await bench();
    box.outcomes.push('returned');
    await box.outbox.postDurable('1', message('end'));
    box.run();
    await box.clock.untilWaiting();
    await box.outbox.postDurable('2', message('another'));
    await until('both are sent', () => box.messages.length === 3);
    expect(box.messages.map(({ args }) => args['name'])).toEqual(['end', 'end', 'another']);
  });
});

describe('after an outage', () => {
  it('the newest status goes out first, no other does, and everything else in its order', async () => {
    const box = await bench();
    box.outcomes.push(...Array.from({ length: 100 }, () => new NotSent('no session')));
    box.outbox.postStatus(status('building'));
    box.run();
    await box.outbox.postDurable('1', message('first'));
    box.outbox.postStatus(status('instance ready'));
    await box.outbox.postDurable('2', message('second'));
    box.outbox.postStatus(status('running'));
    box.outbox.postStatus(status('healthy'));
    await box.outbox.postDurable('3', message('third'));
    await box.clock.untilWaiting();
    const tried = box.sent.length;
    box.outcomes.length = 0;
    box.outbox.connected();
    await until('all are sent', async () => (await readdir(box.directory)).length === 0);
    expect(box.sent.slice(tried)).toEqual(['healthy', 'first', 'second', 'third']);
  });

  it('statuses are sent as they come again', async () => {
    const box = await bench();
    box.outcomes.push('returned');
    box.outbox.postStatus(status('building'));
    box.run();
    await box.clock.advance(250);
    box.outbox.postStatus(status('instance ready'));
    await box.outbox.postDurable('1', message('end'));
    box.outbox.postStatus(status('healthy'));
    await until('all are sent', () => box.sent.length === 5);
    expect(box.sent.slice(2)).toEqual(['instance ready', 'end', 'healthy']);
  });
});

describe('what must not be lost', () => {
  it('is on disk, for its owner alone, until it is delivered', async () => {
    const box = await bench();
    await box.outbox.postDurable('a/b', message('end'));
    const [name = ''] = await readdir(box.directory);
    const file = path.join(box.directory, name);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(message('end'));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    box.run();
    expect(await box.clock.untilWaiting()).toBe(3_600_000);
    expect(await readdir(box.directory)).toEqual([]);
  });

  it('is sent by the next agent, in its order; a status is not, it is observed anew', async () => {
    const state = await temporaryDirectory();
    const before = await bench(state);
    await before.outbox.postDurable('z', message('first'));
    before.outbox.postStatus(status('running'));
    await before.outbox.postDurable('a', message('second'));
    const box = await bench(state);
    await box.outbox.postDurable('0', message('third'));
    box.run();
    await box.clock.untilWaiting();
    expect(box.messages.map(({ args }) => args['name'])).toEqual(['first', 'second', 'third']);
    expect(await readdir(box.directory)).toEqual([]);
  });

  it('is sent once, however often it was posted before, also by another agent', async () => {
    const state = await temporaryDirectory();
    const before = await bench(state);
    await Promise.all([
      before.outbox.postDurable('1', message('end')),
      before.outbox.postDurable('1', message('end')),
    ]);
    const box = await bench(state);
    await box.outbox.postDurable('1', message('end'));
    box.run();
    await box.clock.untilWaiting();
    expect(box.messages).toHaveLength(1);
  });

  it('does not keep the agent from starting when it cannot be read', async () => {
    const state = await temporaryDirectory();
    await mkdir(path.join(state, 'outbox'));
    await writeFile(path.join(state, 'outbox', '00000001-x.json'), '{');
    await writeFile(path.join(state, 'outbox', '00000002-y.json'), JSON.stringify(message('y')));
    await writeFile(path.join(state, 'outbox', '00000003-z.json.0123456789ab.tmp'), '{');
    const box = await bench(state);
    box.run();
    await box.clock.untilWaiting(2);
    expect(box.messages.map(({ args }) => args['name'])).toEqual(['y']);
    expect(await readdir(box.directory)).toEqual(['refused']);
    expect(await readdir(path.join(box.directory, 'refused'))).toEqual(['00000001-x.json']);
    expect(box.texts).toHaveLength(1);
  });

  it('does not end the sending when its file cannot be removed', async () => {
    const box = await bench();
    await box.outbox.postDurable('1', message('end'));
    const [name = ''] = await readdir(box.directory);
    // A directory in its place, which rm does not remove: as on a disk that is read-only.
    await rm(path.join(box.directory, name));
    await mkdir(path.join(box.directory, name));
    box.outbox.postStatus(status('healthy'));
    box.run();
    await until('both are sent', () => box.messages.length === 2);
    expect(box.messages.map(({ args }) => args['name'])).toEqual(['end', 'healthy']);
  });
});

describe('the end', () => {
  it('does not wait for a broker that does not confirm', async () => {
    const box = await bench();
    box.outcomes.push(new Promise(() => undefined));
    await box.outbox.postDurable('1', message('end'));
    box.run();
    await until('it is sent', () => box.messages.length === 1);
    await box.stop();
    expect(await readdir(box.directory)).toHaveLength(1);
  });
});
