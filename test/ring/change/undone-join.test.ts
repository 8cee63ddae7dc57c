import { expect, it } from 'vitest';
import { OwnMerge } from '../../../src/ring/change/own-merge.ts';
import { JoinRetry } from '../../../src/ring/change/join-retry.ts';
import { RingChanges } from '../../../src/ring/change/ring-changes.ts';
import { Backoff } from '../../../src/base/backoff.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import type { MergeCommand, Order } from '../../../src/ring/change/merge-order.ts';
import type { RingStatus } from '../../../src/ring/status.ts';
import { IDLE } from '../../../src/ring/change/leave.ts';
import { ring } from '../rings.ts';
import { sightOf } from '../sight-of.ts';
import { silentLog } from '../../helpers/recording-log.ts';

/** What a command makes of the words of a server; those that are missing it leaves alone. */
const EFFECTS: Partial<Record<MergeCommand, Record<string, string>>> = {
  SERVICEIN: { OUT: 'IN ADD Pending', 'IN DELETE Pending': 'IN Pending' },
  SERVICEOUT: { IN: 'IN DELETE Pending', 'IN ADD Pending': 'OUT' },
  MERGE: { 'IN Pending': 'IN Doing', 'IN ADD Pending': 'IN ADD Doing' },
  COMPMERGE: { 'IN Done': 'IN', 'IN ADD Done': 'IN' },
  ABORTMERGE: {
    'IN Doing': 'IN Pending',
    'IN Done': 'IN Pending',
    'IN ADD Doing': 'IN ADD Pending',
  },
};
const TO_ONE: MergeCommand[] = ['SERVICEIN', 'SERVICEOUT'];

/** A server `a`, and `b` with its agent. Who hangs stays Doing and its chmpx is busy. */
class Ring {
  hangs: ('a' | 'b')[] = ['b'];
  readonly #clock = new ManualClock();
  readonly changes: RingChanges;
  readonly #own: OwnMerge;
  #words: string[];
  /** So many looks ago the merge was aborted in which `a` hung. */
  #aborted: number | null = null;

  constructor(...words: [string, string]) {
    this.#words = words;
    const clock = this.#clock;
    this.#own = new OwnMerge({
      cpuMs: { chmpx: () => this.now / 10, k2hdkc: () => 0 },
      hangAfter: { first: 8_000, cap: 300_000 },
      clock,
    });
    this.changes = new RingChanges({
      mode: 'coordinated',
      sight: sightOf(() => Promise.resolve(this.#look()), clock, { ownMerge: this.#own }),
      record: { keep: () => Promise.resolve() },
      unfinished: IDLE,
      control: { send: (order) => this.#obey(order) },
      pollMs: 100,
      leaveLimits: { stop: 10_000, restart: 60_000, good: 170_000 },
      stuckAfterMs: 5_000,
      changeWaitMs: 60_000,
      retry: new JoinRetry(new Backoff({ first: 45_000, cap: 900_000 }, () => 0.5), clock),
      patience: { tailMs: 8_000, mergeMs: 300_000, tries: 2 },
      role: () => new Set(),
      clock,
      log: silentLog,
    });
  }

  get now(): number {
    return this.#clock.monotonic();
  }

  get words(): string {
    return this.#words.join(', ');
  }

  /** Both its programs start again, as its agent has them do. */
  restart(): void {
    expect(this.#own.hung).toBe(true);
    this.#own.forget();
  }

  /** Resolves with what went wrong. */
  async lead(goal: 'join' | 'finish'): Promise<unknown> {
    const progress = { over: false };
    const led = this.changes
      .lead(goal, new AbortController().signal)
      .catch((error: unknown) => error)
      .finally(() => {
        progress.over = true;
      });
    while (!progress.over) await this.#clock.advance(20);
    return led;
  }

  #look(): RingStatus {
    if (this.#aborted !== null) this.#restartOther((this.#aborted += 1));
    const status = ring('b', ...this.#words);
    this.#words = this.#words.map((words, n) =>
      this.hangs.includes(n === 0 ? 'a' : 'b') ? words : words.replace('Doing', 'Done'),
    );
    return status;
  }

  #obey({ command, at }: Order): Promise<string> {
    const effect = EFFECTS[command] ?? {};
    this.#words = this.#words.map((words, n) =>
      TO_ONE.includes(command) && at.name !== 'ab'[n] ? words : (effect[words] ?? words),
    );
    if (command === 'ABORTMERGE' && this.hangs.includes('a')) this.#aborted = 0;
    return Promise.resolve('SUCCEED');
  }

  /** What the agent of `a` does when it sees that the merge was aborted. */
  #restartOther(looks: number): void {
    const [words = ''] = this.#words;
    if (looks === 6 && words.endsWith('Pending')) {
      this.#words[0] = words.includes('ADD') ? 'OUT DOWN' : 'IN DOWN';
      this.hangs = ['b'];
    }
  }
}

it('a joiner that hung joins again as soon as it has started again, and pauses after that', async () => {
  const lab = new Ring('IN', 'OUT');
  expect(await lab.lead('join')).toMatchObject({
    message: 'the merge was undone: the ring is open without this node',
  });
  expect(lab.words).toBe('IN, OUT');
  expect(lab.changes.joinRetryInMs).toBe(0);
  lab.restart();
  expect(await lab.lead('join')).toMatchObject({
    message: 'the merge was undone: the ring is open without this node',
  });
  expect(lab.changes.joinRetryInMs).toBeGreaterThan(44_900);
  lab.restart();
  lab.hangs = [];
  expect(await lab.lead('join')).toBeUndefined();
  expect(lab.words).toBe('IN, IN');
});

it('a server that is back and hangs alone starts again after a while, twice as long at each try', async () => {
  const lab = new Ring('IN', 'IN Pending');
  for (const seconds of [3, 6, 12]) {
    const begun = lab.now;
    expect(await lab.lead('finish')).toMatchObject({
      message: expect.stringContaining('this node hung in a merge') as string,
    });
    expect((lab.now - begun) / 1_000).toBeCloseTo(seconds, -0.5);
    expect(lab.words).toBe('IN, IN Pending');
    lab.restart();
  }
  lab.hangs = [];
  expect(await lab.lead('finish')).toBeUndefined();
  expect(lab.words).toBe('IN, IN');
});

it.each([
  ['a new ring', 'OUT'],
  ['a ring that grows', 'IN'],
])('%s in which all hang is merged again only when all start again', async (_, words) => {
  const lab = new Ring(words, 'OUT');
  lab.hangs = ['a', 'b'];
  expect(await lab.lead('join')).toMatchObject({
    message: 'the merge was undone: the ring is open without this node',
  });
  expect(lab.words).toBe(`${words} DOWN, OUT`);
  expect(lab.now).toBeLessThan(12_000);
  expect(lab.changes.joinRetryInMs).toBe(0);
});
