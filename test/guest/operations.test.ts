import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Journal } from '../../src/guest/journal.ts';
import { Operations, type Operation } from '../../src/guest/operations.ts';
import { Interrupted } from '../../src/node/interrupted.ts';
import { LoggedFailure, RpcFailure } from '../../src/oslo/failure.ts';
import { deferred } from '../helpers/deferred.ts';
import { guestError } from '../../src/trove/exceptions.ts';
import { silentLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';
import { WatchedClock } from '../base/watched-clock.ts';

interface Bench {
  operations: Operations;
  journal: Journal;
  clock: WatchedClock;
  state: string;
  unfinished: () => Promise<string[]>;
  /** How many operations have said that they have ended. */
  ends: () => number;
  /** … and that they begin. */
  begins: () => number;
}

async function bench(): Promise<Bench> {
  const state = await temporaryDirectory();
  const journal = await Journal.open(state, 'a boot');
  const clock = new WatchedClock();
  const progress = (): string => 'joining the ring';
  let ends = 0;
  const onEnd = (): void => {
    ends++;
  };
  let begins = 0;
  const onBegin = (): void => {
    begins++;
  };
  const operations = new Operations({ journal, clock, log: silentLog, progress, onBegin, onEnd });
  const unfinished = async (): Promise<string[]> =>
    (await journal.unfinished()).map(({ id }) => id);
  return { operations, journal, clock, state, unfinished, ends: () => ends, begins: () => begins };
}

/** An operation called `name`, whose key and id are the same unless `change` says otherwise. */
function operation<T>(
  name: string,
  work: () => Promise<T>,
  change: Partial<Operation<T>> = {},
): Operation<T> {
  return {
    name,
    key: name,
    entry: { id: `id of ${name}`, body: 'body' },
    accepted: () => undefined,
    limitMs: 10_000,
    work,
    ...change,
  };
}
const entry = (id: string) => ({ entry: { id, body: 'body' } });

it('says that an operation begins before it does anything', async () => {
  const { operations, begins } = await bench();
  await operations.perform(
    operation('restart', () => {
      expect(begins()).toBe(1);
      return Promise.resolve();
    }),
  );
  expect(begins()).toBe(1);
});

it('says that an operation has ended, however it has', async () => {
  const { operations, ends } = await bench();
  const failing = operation('stop_db', () => Promise.reject(new Error('no')));
  await operations.perform(operation('restart', () => Promise.resolve()));
  expect(ends()).toBe(1);
  await expect(operations.perform(failing)).rejects.toThrow('no');
  expect(ends()).toBe(2);
});

describe('acceptance', () => {
  it('comes when the request is on disk, and before the work', async () => {
    const { operations, unfinished } = await bench();
    const events: string[] = [];
    let onDisk: Promise<string[]> | undefined;
    const accepted = (): void => {
      events.push('accepted');
      onDisk = unfinished();
    };
    const work = (): Promise<void> => Promise.resolve(void events.push('work'));
    await operations.perform(operation('restart', work, { accepted }));
    expect(events).toEqual(['accepted', 'work']);
    expect(await onDisk).toEqual(['id of restart']);
    expect(await unfinished()).toEqual([]);
  });

  it('is refused with the reason when nothing can be stored', async () => {
    const { operations, state } = await bench();
    await rm(path.join(state, 'journal', 'open'), { recursive: true });
    await writeFile(path.join(state, 'journal', 'open'), 'no directory');
    let ran = false;
    const work = (): Promise<void> => Promise.resolve(void (ran = true));
    const accepted = (): void => {
      throw new Error('not to be acknowledged');
    };
    await expect(operations.perform(operation('restart', work, { accepted }))).rejects.toThrow(
      /restart is refused, it cannot be stored on this VM: EEXIST/,
    );
    expect(ran).toBe(false);
  });
});

describe('the outcome', () => {
  it('is that of the work', async () => {
    const { operations, unfinished } = await bench();
    await expect(operations.perform(operation('a', () => Promise.resolve(7)))).resolves.toBe(7);
    const failing = operation('b', () => Promise.reject(new Error('no ring')));
    await expect(operations.perform(failing)).rejects.toThrow('no ring');
    expect(await unfinished()).toEqual([]);
  });

  it('is logged once: a failure says that it is in the log', async () => {
    const { operations } = await bench();
    const failing = operation('a', () => Promise.reject(guestError('no ring')));
    const failure = await operations.perform(failing).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LoggedFailure);
    expect(failure).toMatchObject({ exceptionClass: 'GuestError', message: 'no ring' });
  });

  it('of an operation that the agent interrupts leaves it for the next agent', async () => {
    const { operations, unfinished } = await bench();
    const failing = operation('a', () => Promise.reject(new Interrupted()));
    await expect(operations.perform(failing)).rejects.toBeInstanceOf(Interrupted);
    expect(await unfinished()).toEqual(['id of a']);
  });

  it('is not spoilt by a journal that cannot be written any more', async () => {
    const { operations, state } = await bench();
    const work = async (): Promise<number> => {
      await rm(path.join(state, 'journal', 'done'), { recursive: true });
      await writeFile(path.join(state, 'journal', 'done'), 'no directory');
      return 7;
    };
    await expect(operations.perform(operation('a', work))).resolves.toBe(7);
    await expect(
      operations.perform(operation('b', () => Promise.reject(new Error('no ring')))),
    ).rejects.toThrow('no ring');
  });
});

describe('operations that would collide', () => {
  it('run one after the other, in the order in which they came', async () => {
    const { operations } = await bench();
    const events: string[] = [];
    const gate = deferred();
    const work = (name: string) => async (): Promise<void> => {
      events.push(`${name} begins`);
      if (name === 'a') await gate.promise;
      events.push(`${name} ends`);
    };
    const all = ['a', 'b', 'c'].map((name) => operations.perform(operation(name, work(name))));
    await until('the first one runs', () => events.length === 1, { everyMs: 1 });
    gate.resolve();
    await Promise.all(all);
    expect(events.map((event) => event.split(' ')[1])).toEqual([
      'begins',
      'ends',
      'begins',
      'ends',
      'begins',
      'ends',
    ]);
  });

  it('go on after one that failed', async () => {
    const { operations } = await bench();
    const failing = operations.perform(operation('a', () => Promise.reject(new Error('no'))));
    const next = operations.perform(operation('b', () => Promise.resolve('done')));
    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBe('done');
  });

  it('wait no longer than the limit of the one before, which goes on', async () => {
    const { operations, clock, unfinished } = await bench();
    const gate = deferred();
    const first = operations.perform(operation('restart', () => gate.promise));
    const late = expect(first).rejects.toThrow('restart is not over yet');
    await clock.untilWaiting();
    const second = operations.perform(operation('stop_db', () => Promise.resolve('stopped')));
    await clock.advance(10_000);
    await late;
    await expect(second).resolves.toBe('stopped');
    expect(await unfinished()).toEqual(['id of restart']);
    gate.resolve();
    await until('the first one is over', async () => (await unfinished()).length === 0);
  });
});

describe('a repeated call', () => {
  it('joins the one that runs, and gets its outcome', async () => {
    const { operations, unfinished } = await bench();
    const gate = deferred<string>();
    let runs = 0;
    const work = (): Promise<string> => {
      runs++;
      return gate.promise;
    };
    const first = operations.perform(operation('restart', work, entry('1')));
    const second = operations.perform(operation('restart', work, entry('2')));
    await until('both are accepted', async () => (await unfinished()).length === 2);
    gate.resolve('done');
    await expect(Promise.all([first, second])).resolves.toEqual(['done', 'done']);
    expect(runs).toBe(1);
    await until('both are finished', async () => (await unfinished()).length === 0);
  });

  it('joins also after the first caller was told that it is not over', async () => {
    const { operations, clock } = await bench();
    const gate = deferred<string>();
    const work = (): Promise<string> => gate.promise;
    const first = expect(
      operations.perform(operation('restart', work, entry('1'))),
    ).rejects.toThrow('not over yet');
    await clock.untilWaiting();
    await clock.advance(10_000);
    await first;
    const second = operations.perform(
      operation('restart', () => Promise.reject(new Error('no')), entry('2')),
    );
    await clock.untilWaiting();
    gate.resolve('done');
    await expect(second).resolves.toBe('done');
  });

  it('does not join one that another was asked for after: the last word counts', async () => {
    const { operations } = await bench();
    const ran: string[] = [];
    const gate = deferred();
    const work = (id: string) => async (): Promise<void> => {
      if (id === '1') await gate.promise;
      ran.push(id);
    };
    const calls = [
      operations.perform(operation('stop_db', work('1'), entry('1'))),
      operations.perform(operation('restart', work('2'), entry('2'))),
      operations.perform(operation('stop_db', work('3'), entry('3'))),
    ];
    gate.resolve();
    await Promise.all(calls);
    expect(ran.at(-1)).toBe('3');
    expect(ran.sort()).toEqual(['1', '2', '3']);
  });

  it('stays open, like the one that it joined, when the agent stops', async () => {
    const { operations, unfinished } = await bench();
    const gate = deferred<string>();
    const work = (): Promise<string> => gate.promise;
    const first = operations.perform(operation('restart', work, entry('1')));
    const second = operations.perform(operation('restart', work, entry('2')));
    await until('both are accepted', async () => (await unfinished()).length === 2);
    gate.reject(new Interrupted());
    await expect(first).rejects.toThrow(Interrupted);
    await expect(second).rejects.toThrow(Interrupted);
    expect(await unfinished()).toEqual(['1', '2']);
  });

  it('runs anew when the first one is over', async () => {
    const { operations } = await bench();
    let runs = 0;
    const work = (): Promise<number> => Promise.resolve(++runs);
    await operations.perform(operation('restart', work, entry('1')));
    await expect(operations.perform(operation('restart', work, entry('2')))).resolves.toBe(2);
  });

  it('with another key does not join', async () => {
    const { operations } = await bench();
    const results = await Promise.all(
      ['a', 'b'].map((key) =>
        operations.perform(
          operation('update_overrides', () => Promise.resolve(key), { key, ...entry(key) }),
        ),
      ),
    );
    expect(results).toEqual(['a', 'b']);
  });
});

describe('the limit', () => {
  it('is kept with a GuestError that names the progress', async () => {
    const { operations, clock, unfinished } = await bench();
    const gate = deferred();
    const call = operations.perform(operation('restart', () => gate.promise));
    const answer = call.catch((error: unknown) => error);
    await clock.untilWaiting();
    await clock.advance(9_999);
    await clock.advance(1);
    const error = await answer;
    expect(error).toBeInstanceOf(RpcFailure);
    expect((error as Error).message).toContain(
      'restart is not over yet (joining the ring); it goes on, ask again',
    );
    expect(await unfinished()).toEqual(['id of restart']);
    // Its failure after the answer is nobody's business: it must not end the process.
    gate.reject(new Error('failed after all'));
    await until('it is over', async () => (await unfinished()).length === 0);
  });

  it('is kept while another operation is in the way, and names that one', async () => {
    const { operations, clock } = await bench();
    const gate = deferred();
    const prepare = operations.perform(operation('prepare', () => gate.promise, { limitMs: null }));
    const call = operations.perform(operation('restart', () => Promise.resolve()));
    const answer = expect(call).rejects.toThrow('restart is not over yet (waiting for prepare)');
    await clock.untilWaiting();
    await clock.advance(10_000);
    await answer;
    gate.resolve();
    await prepare;
  });

  it('does not exist for a cast', async () => {
    const { operations, clock } = await bench();
    const gate = deferred<string>();
    const cast = operations.perform(operation('prepare', () => gate.promise, { limitMs: null }));
    await clock.advance(10_000_000);
    gate.resolve('done');
    await expect(cast).resolves.toBe('done');
    expect(clock.delays).toEqual([]);
  });
});

it('runs a request that is in the journal already, and does not journal it twice', async () => {
  const { operations, journal, unfinished } = await bench();
  await journal.accept({ id: 'id of a', body: 'body' });
  const result = await operations.perform(operation('a', () => Promise.resolve('continued')));
  expect(result).toBe('continued');
  expect(await unfinished()).toEqual([]);
});
