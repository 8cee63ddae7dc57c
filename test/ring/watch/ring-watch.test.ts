import { describe, expect, it, onTestFinished } from 'vitest';
import { RingWatch, type RingWatchOptions } from '../../../src/ring/watch/ring-watch.ts';
import type { Finding } from '../../../src/ring/watch/concerns.ts';
import type { RoleView } from '../../../src/role/role-view.ts';
import { sleep } from '../../../src/base/clock.ts';
import type { RingNode, RingStatus } from '../../../src/ring/status.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { ring } from '../rings.ts';
import { sightOf } from '../sight-of.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { ROLE } from '../../node/builders.ts';

/** How long everything may take to be seen (ms). */
const SEEN_MS = 10_000;
const WHOLE_ROLE: RoleView = {
  ...ROLE,
  servers: 4,
  cuks: new Set(['cuk-a', 'cuk-b', 'cuk-c', 'cuk-d']),
};

type Answer = RingNode[] | 'silence';

/** Refusals of a slave as a test wants them. */
class FakeRefusals implements NonNullable<RingWatchOptions['refusals']> {
  letIn = true;
  looks = 0;
  nextMs: number | null = null;
  findings: Finding[] = [];

  look(): Promise<number | null> {
    this.looks += 1;
    return Promise.resolve(this.nextMs);
  }

  hasLetIn(): boolean {
    return this.letIn;
  }
}

/** Node b of a ring of four, whose chmpxstatus and neighbours a test writes. */
class Bench {
  readonly clock = new ManualClock();
  readonly asked: string[] = [];
  statuses: string[];
  role: RoleView;
  isUp = true;
  isReadable = true;
  unreadMs = 0;
  looks = 0;
  changes = 0;
  onAnswer: () => unknown = () => undefined;
  /** What a server answers; default the same as this node sees. */
  readonly answers: Record<string, Answer> = {};
  /** What the next one is that anybody gives. */
  nextAnswer: Answer | undefined;
  /** Of a slave: what sees that servers have refused it. */
  readonly refusals: FakeRefusals | null;
  readonly watch: RingWatch;
  readonly texts: string[];
  readonly lines: Record<string, unknown>[];

  /** @param change `asks: false` is a slave, whose chmpx is looked at instead. */
  constructor({ asks = true, statuses = ['IN', 'IN', 'IN', 'IN'], role = WHOLE_ROLE } = {}) {
    this.statuses = statuses;
    this.role = role;
    const { log, texts, lines } = recordingLog();
    this.texts = texts;
    this.lines = lines;
    this.refusals = asks ? null : new FakeRefusals();
    this.watch = new RingWatch({
      isUp: () => this.isUp,
      sight: sightOf(() => Promise.resolve(this.isReadable ? this.ring : null), this.clock),
      role: () => this.role,
      viewOf: asks ? (server, limitMs) => this.#answer(server, limitMs) : null,
      unread: asks ? null : this.#unread(),
      split: {
        look: () => Promise.resolve(),
        heard: () => undefined,
        forget: () => undefined,
        findings: [],
      },
      refusals: this.refusals,
      times: { mergeMs: 300_000, startMs: 60_000 },
      onChange: () => this.changes++,
      onLook: () => undefined,
      clock: this.clock,
      random: () => 1, // the longest pauses
      log,
    });
    const ending = new AbortController();
    onTestFinished(() => ending.abort());
    void this.watch.run(ending.signal);
  }

  get ring(): RingStatus {
    return ring('b', ...this.statuses);
  }

  get concerns(): string[] {
    return this.watch.concerns.map(({ kind, subject }) => `${kind} ${subject}`);
  }

  /** A ring that has been the same for long, and a moment right after a look. */
  async settle(): Promise<void> {
    await this.clock.advance(60_000);
    const before = this.asked.length;
    while (this.asked.length === before) await this.clock.advance(1);
    this.asked.length = 0;
  }

  #unread(): RingWatchOptions['unread'] {
    const unreadMs = (): number => this.unreadMs;
    return {
      look: () => {
        this.looks += 1;
        return Promise.resolve();
      },
      get unreadMs() {
        return unreadMs();
      },
    };
  }

  async #answer({ name }: RingNode, limitMs: number): Promise<RingNode[]> {
    this.asked.push(name);
    this.onAnswer();
    const answer = this.nextAnswer ?? this.answers[name] ?? this.ring.servers;
    this.nextAnswer = undefined;
    if (answer !== 'silence') return answer;
    await sleep(this.clock, limitMs);
    throw new Error(`no answer within ${limitMs} ms`);
  }
}

describe('a concern is seen within 10 s, logged once, and said to be over once', () => {
  const split = ring('c', 'IN', 'OUT DOWN', 'IN', 'IN').servers;
  it.each<[string, (bench: Bench) => void, (bench: Bench) => void]>([
    [
      'server-down a',
      (bench) => (bench.statuses = ['OUT DOWN', 'IN', 'IN', 'IN']),
      (bench) => (bench.statuses = ['IN', 'IN', 'IN', 'IN']),
    ],
    [
      'server-suspended d',
      (bench) => (bench.statuses = ['IN', 'IN', 'IN', 'IN Suspend']),
      (bench) => (bench.statuses = ['IN', 'IN', 'IN', 'IN']),
    ],
    [
      'role-differs ring',
      (bench) => (bench.role = { ...WHOLE_ROLE, cuks: new Set([...WHOLE_ROLE.cuks, 'cuk-e']) }),
      (bench) => (bench.role = WHOLE_ROLE),
    ],
    [
      'no-answer c',
      (bench) => (bench.answers['c'] = 'silence'),
      (bench) => delete bench.answers['c'],
    ],
    [
      'view-differs c',
      (bench) => (bench.answers['c'] = split),
      (bench) => delete bench.answers['c'],
    ],
  ])('%s', async (concern, begin, end) => {
    const bench = new Bench();
    await bench.settle();
    begin(bench);
    await bench.clock.advance(SEEN_MS);
    expect(bench.concerns).toEqual([concern]);
    await bench.clock.advance(60_000);
    expect(bench.texts).toHaveLength(1);
    end(bench);
    await bench.clock.advance(20_000);
    expect(bench.concerns).toEqual([]);
    expect(bench.texts).toHaveLength(2);
    expect(bench.lines[1]).toMatchObject({
      msg: 'a concern is over',
      subject: concern.slice(-4).split(' ').at(-1),
    });
  });

  it('a merge that has moved data for longer than its limit', async () => {
    const bench = new Bench();
    bench.statuses = ['IN', 'IN', 'IN', 'IN ADD Doing'];
    await bench.clock.advance(299_000);
    expect(bench.concerns).toEqual([]);
    await bench.clock.advance(1_000 + SEEN_MS);
    expect(bench.concerns).toEqual(['merge-long ring']);
  });
});

describe('what is normal concerns nobody', () => {
  it('a server that is down for 2 s', async () => {
    const bench = new Bench();
    await bench.settle();
    for (let phase = 0; phase < 3_500; phase += 250) {
      bench.statuses = ['OUT DOWN', 'IN', 'IN', 'IN'];
      await bench.clock.advance(2_000);
      bench.statuses = ['IN', 'IN', 'IN', 'IN'];
      await bench.clock.advance(6_000 + phase);
    }
    expect(bench.texts).toEqual([]);
  });

  it('one answer that does not come, and one that differs', async () => {
    const bench = new Bench();
    await bench.settle();
    for (const answer of ['silence', ring('c', 'IN', 'IN', 'IN').servers] as const) {
      bench.nextAnswer = answer;
      await bench.clock.advance(20_000);
      expect(bench.nextAnswer).toBeUndefined();
    }
    expect(bench.texts).toEqual([]);
  });

  it('an answer that was read while the ring changed', async () => {
    const bench = new Bench();
    await bench.settle();
    bench.onAnswer = () => (bench.statuses = ['IN', 'IN', 'IN', 'OUT']);
    bench.answers['c'] = bench.ring.servers;
    await bench.clock.advance(4_000);
    expect(bench.asked).toEqual(['c']);
    expect(bench.texts).toEqual([]);
  });

  it('a status that cannot be read once', async () => {
    const bench = new Bench({ statuses: ['OUT DOWN', 'IN', 'IN', 'IN'] });
    await bench.clock.advance(SEEN_MS);
    bench.isReadable = false;
    await bench.clock.advance(SEEN_MS);
    expect(bench.concerns).toEqual(['server-down a']);
    bench.isUp = false;
    await bench.clock.advance(SEEN_MS);
    expect(bench.concerns).toEqual([]);
    expect(bench.watch.ring).toBeNull();
  });
});

describe('other servers are asked', () => {
  it('only the next one in the ring, one short question every four seconds', async () => {
    const bench = new Bench();
    await bench.settle();
    await bench.clock.advance(82_000);
    expect(bench.asked).toEqual(Array<string>(20).fill('c'));
  });

  it('and the one behind it while that one is silent: it or this node is cut off', async () => {
    const bench = new Bench();
    await bench.settle();
    bench.answers['c'] = 'silence';
    bench.answers['d'] = 'silence';
    await bench.clock.advance(20_000);
    expect(bench.concerns).toEqual(['no-answer c', 'no-answer d']);
    delete bench.answers['c'];
    await bench.clock.advance(20_000);
    expect(bench.concerns).toEqual([]);
  });

  it.each<[string, string[]]>([
    ['joins', ['IN', 'IN', 'IN', 'IN ADD Doing']],
    ['leaves', ['IN', 'IN', 'IN', 'IN DELETE Pending']],
    ['merges', ['IN Doing', 'IN', 'IN', 'IN']],
    ['starts', ['IN', 'IN', 'IN', 'OUT Suspend']],
    ['waits outside', ['IN', 'IN', 'IN', 'OUT']],
    ['has lost its k2hdkc', ['IN', 'IN', 'IN', 'IN Suspend']],
    ['is this node and joins', ['IN', 'IN ADD Pending', 'IN', 'IN']],
  ])('never while one %s', async (_, statuses) => {
    const bench = new Bench();
    await bench.settle();
    bench.statuses = statuses;
    await bench.clock.advance(60_000);
    expect(bench.asked).toEqual([]);
    bench.statuses = ['IN', 'IN', 'IN', 'IN'];
    await bench.clock.advance(5_000);
    expect(bench.asked).toEqual([]);
    await bench.clock.advance(SEEN_MS);
    expect(bench.asked).not.toEqual([]);
  });

  it.each<[string, string, string[]]>([
    ['waits outside, although it is in the role', 'OUT Suspend', ['a', 'b', 'c', 'd']],
    ['is no server of the role and never gets in', 'IN ADD Pending', ['a', 'b', 'c']],
  ])('not for ever while one %s', async (_, words, role) => {
    const bench = new Bench({ statuses: ['IN', 'IN', 'IN', words] });
    bench.role = { ...WHOLE_ROLE, cuks: new Set(role.map((name) => `cuk-${name}`)) };
    await bench.clock.advance(58_000);
    expect(bench.asked).toEqual([]);
    // What changes elsewhere does not make it wait anew.
    bench.statuses = ['IN', 'IN', 'IN DOWN', words];
    await bench.clock.advance(SEEN_MS);
    expect(bench.asked).not.toEqual([]);
  });

  it('as long as a server of the role is on its way, however long that takes', async () => {
    const bench = new Bench({ statuses: ['IN', 'IN', 'IN', 'IN ADD Pending'] });
    await bench.clock.advance(300_000);
    expect(bench.asked).toEqual([]);
  });

  it('never while the role has one that has not come yet', async () => {
    const bench = new Bench({
      role: { ...WHOLE_ROLE, ringIsNew: true, ringStableMs: 30_000 },
      statuses: ['IN', 'IN', 'IN', 'OUT DOWN'],
    });
    await bench.clock.advance(30_000);
    expect(bench.asked).toEqual([]);
    bench.role = { ...bench.role, ringStableMs: 61_000 };
    await bench.clock.advance(SEEN_MS);
    expect(bench.asked).not.toEqual([]);
  });

  it('never right after the role has changed: a new server may be about to start', async () => {
    const bench = new Bench();
    await bench.settle();
    bench.role = { ...WHOLE_ROLE, ringStableMs: 9_000 };
    await bench.clock.advance(60_000);
    expect(bench.asked).toEqual([]);
  });

  it('never by a slave', async () => {
    const bench = new Bench({ asks: false });
    await bench.clock.advance(60_000);
    expect(bench.asked).toEqual([]);
  });
});

it("reports a slave's chmpx that does not read, and tells whoever starts it again", async () => {
  const bench = new Bench({ asks: false });
  bench.unreadMs = 14_999;
  await bench.clock.advance(SEEN_MS);
  expect([bench.concerns, bench.changes]).toEqual([[], 1]);
  bench.unreadMs = 15_000;
  await bench.clock.advance(SEEN_MS);
  expect(bench.concerns).toEqual(['unread chmpx']);
  expect(bench.changes).toBeGreaterThan(1);
  bench.unreadMs = 0;
  await bench.clock.advance(SEEN_MS);
  expect(bench.concerns).toEqual([]);
  expect(bench.texts).toHaveLength(2);
  expect(bench.looks).toBeGreaterThan(10);
});

describe('a slave that servers may have refused', () => {
  const REFUSED = { kind: 'refused', subject: 'ring', text: 'refused', patienceMs: 0 } as const;

  it('is looked at as soon as it is asked for, and what is wrong is shown while chmpx is away', async () => {
    const bench = new Bench({ asks: false });
    const { refusals } = bench;
    if (!refusals) throw new Error('no slave');
    await bench.clock.advance(60_000);
    const { looks } = refusals;
    refusals.nextMs = 500;
    refusals.findings = [REFUSED];
    await bench.clock.advance(60_000);
    expect(refusals.looks - looks).toBeGreaterThan(100);
    bench.isUp = false;
    await bench.clock.advance(SEEN_MS);
    expect(bench.concerns).toEqual(['refused ring']);
  });

  it('tells when it has been let in', async () => {
    const bench = new Bench({ asks: false });
    const { refusals } = bench;
    if (!refusals) throw new Error('no slave');
    await bench.clock.advance(60_000);
    const before = bench.changes;
    refusals.look = () => {
      refusals.letIn = false;
      return Promise.resolve(null);
    };
    await bench.clock.advance(SEEN_MS);
    expect(bench.changes).toBe(before + 1);
  });
});

it('tells when anything in the ring has changed, and only then', async () => {
  const bench = new Bench();
  await bench.clock.advance(60_000);
  expect(bench.changes).toBe(1);
  bench.statuses = ['IN', 'IN', 'IN', 'IN Suspend'];
  await bench.clock.advance(60_000);
  expect(bench.changes).toBe(2);
});
