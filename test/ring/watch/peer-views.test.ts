import { describe, expect, it } from 'vitest';
import { isSettled, PeerViews } from '../../../src/ring/watch/peer-views.ts';
import type { RingNode, RingStatus } from '../../../src/ring/status.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { ring } from '../rings.ts';

/** Node b of a ring, which asks the others; a test writes what they answer. */
class Bench {
  readonly clock = new ManualClock();
  /** How b sees the ring; and how it sees the ring once somebody has answered. */
  seen = ['IN', 'IN', 'IN', 'IN'];
  seenAfter: string[] | null = null;
  /** How others see the ring; those that are not named, as b does. */
  readonly theirs: Record<string, string[]> = {};
  readonly silent = new Set<string>();
  readonly asked: string[] = [];
  readonly views = new PeerViews({
    readStatus: () => Promise.resolve(this.ring(this.seenAfter ?? this.seen)),
    viewOf: (server) => this.#answer(server),
    clock: this.clock,
  });

  ring(words = this.seen): RingStatus {
    return ring('b', ...words);
  }

  /** Asks as often as is possible for so long, and returns what is wrong then. */
  async run(ms: number): Promise<string[]> {
    for (let passed = 0; passed < ms; passed += 500) {
      await this.views.ask(this.ring());
      await this.clock.advance(500);
    }
    return this.findings;
  }

  get findings(): string[] {
    return this.views.findings(this.ring()).map(({ kind, subject }) => `${kind} ${subject}`);
  }

  #answer({ name }: RingNode): Promise<RingNode[]> {
    this.asked.push(name);
    if (this.silent.has(name)) return Promise.reject(new Error('nothing came'));
    return Promise.resolve(ring(name, ...(this.theirs[name] ?? this.seen)).servers);
  }
}

describe('a server asks', () => {
  it.each([
    ['the next one in the ring', ['IN', 'IN', 'IN', 'IN'], 'c'],
    ['the one behind it when that is down', ['IN', 'IN', 'IN DOWN', 'IN'], 'd'],
    ['the first one when it is the last', ['IN', 'IN', 'IN DOWN', 'IN DOWN'], 'a'],
  ])('%s', async (_, seen, next) => {
    const bench = new Bench();
    bench.seen = seen;
    expect(await bench.run(10_000)).toEqual([]);
    expect(new Set(bench.asked)).toEqual(new Set([next]));
  });

  it('nobody when it is the only one that serves', async () => {
    const bench = new Bench();
    bench.seen = ['IN DOWN', 'IN'];
    expect(await bench.views.ask(bench.ring())).toBeNull();
    expect(bench.asked).toEqual([]);
  });

  it('not again before a pause, and is in no hurry when all is well', async () => {
    const bench = new Bench();
    expect(await bench.views.ask(bench.ring())).toBeNull();
    await bench.run(2_500);
    expect(bench.asked).toEqual(['c']);
    await bench.run(500);
    expect(bench.asked).toEqual(['c', 'c']);
  });
});

describe('a server that does not answer', () => {
  it('is named at the second time, which comes soon', async () => {
    const bench = new Bench();
    bench.silent.add('c');
    const againMs = await bench.views.ask(bench.ring());
    expect(againMs).not.toBeNull();
    expect(bench.findings).toEqual([]);
    await bench.clock.advance(againMs ?? 0);
    expect(await bench.views.ask(bench.ring())).toBeNull();
    expect(bench.findings).toEqual(['no-answer c']);
    expect(bench.views.findings(bench.ring())[0]?.text).toContain('nothing came');
  });

  it('has the one behind it asked too, and is asked itself less often', async () => {
    const bench = new Bench();
    bench.silent.add('c');
    await bench.run(1_000);
    bench.asked.length = 0;
    await bench.run(9_000);
    expect(bench.asked.filter((name) => name === 'd').length).toBeGreaterThan(1);
    expect(bench.asked).not.toContain('c');
    await bench.run(3_000);
    expect(bench.asked).toContain('c');
  });

  it('is forgiven as soon as it answers', async () => {
    const bench = new Bench();
    bench.silent.add('c');
    expect(await bench.run(2_000)).toEqual(['no-answer c']);
    bench.silent.delete('c');
    expect(await bench.run(20_000)).toEqual([]);
    bench.asked.length = 0;
    await bench.run(10_000);
    expect(new Set(bench.asked)).toEqual(new Set(['c']));
  });

  it('is forgotten when it is not the next one: it counts from the beginning later', async () => {
    const bench = new Bench();
    bench.silent.add('c');
    expect(await bench.run(2_000)).toEqual(['no-answer c']);
    bench.seen = ['IN', 'IN', 'IN DOWN', 'IN'];
    expect(await bench.run(500)).toEqual([]);
    bench.seen = ['IN', 'IN', 'IN', 'IN'];
    expect(await bench.run(500)).toEqual([]);
  });

  it('does not count when the ring has changed meanwhile', async () => {
    const bench = new Bench();
    bench.silent.add('c');
    bench.seenAfter = ['IN', 'IN', 'IN DOWN', 'IN'];
    expect(await bench.run(5_000)).toEqual([]);
    bench.seenAfter = null;
    expect(await bench.run(2_000)).toEqual(['no-answer c']);
  });
});

describe('a server that sees the ring otherwise', () => {
  const OTHERWISE = ['IN', 'IN', 'IN', 'IN DOWN'];

  it('is named when it has done so four times in a row', async () => {
    const bench = new Bench();
    bench.theirs['c'] = OTHERWISE;
    while (bench.asked.length < 3) await bench.run(500);
    expect(bench.findings).toEqual([]);
    while (bench.asked.length < 4) await bench.run(500);
    expect(bench.findings).toEqual(['view-differs c']);
    const [finding] = bench.views.findings(bench.ring());
    expect(finding?.text).toMatch(/^c sees the ring otherwise: d is .* there and .* here; if that/);
  });

  it('begins again when it agrees once, or does not answer', async () => {
    const bench = new Bench();
    const differs = async (times: number): Promise<void> => {
      bench.theirs['c'] = OTHERWISE;
      bench.asked.length = 0;
      while (bench.asked.filter((name) => name === 'c').length < times) await bench.run(500);
    };
    await differs(3);
    delete bench.theirs['c'];
    await bench.run(2_000);
    await differs(3);
    expect(bench.findings).toEqual([]);
    bench.silent.add('c');
    await bench.run(2_000);
    bench.silent.delete('c');
    await differs(1);
    expect(bench.findings).toEqual([]);
    await differs(3);
    expect(bench.findings).toEqual(['view-differs c']);
  });

  it('is described in one line, however many servers it sees otherwise', async () => {
    const bench = new Bench();
    bench.seen = ['IN', 'IN', 'IN', 'IN', 'IN', 'IN', 'IN'];
    bench.theirs['c'] = ['IN', 'IN', 'IN', 'IN DOWN', 'IN DOWN', 'IN DOWN', 'IN DOWN'];
    await bench.run(10_000);
    expect(bench.views.findings(bench.ring())[0]?.text).toMatch(/, f is [^,]+ here, and 1 more;/);
  });
});

describe('a ring is settled', () => {
  it.each([
    ['all serve', 'b', ['IN', 'IN', 'IN'], true],
    ['one is down', 'b', ['IN', 'IN', 'IN DOWN'], true],
    ['one has left', 'b', ['IN', 'IN', 'OUT DOWN'], true],
    ['one waits outside', 'b', ['IN', 'IN', 'OUT'], false],
    ['one has no k2hdkc', 'b', ['IN', 'IN', 'IN Suspend'], false],
    ['one joins', 'b', ['IN', 'IN', 'IN ADD Doing'], false],
    ['one leaves', 'b', ['IN', 'IN', 'IN DELETE'], false],
    ['this one waits outside', 'b', ['IN', 'OUT', 'IN'], false],
    ['this one is down', 'b', ['IN', 'IN DOWN', 'IN'], false],
  ])('or not: %s', (_, self, words, expected) => {
    expect(isSettled(ring(self, ...words))).toBe(expected);
  });

  it('as a slave sees it, which is in no ring itself', () => {
    const seen = ring('slave', 'IN', 'IN');
    expect(isSettled({ ...seen, self: { ...seen.self, ring: 'SLAVE', live: 'UP' } })).toBe(true);
    expect(isSettled(seen)).toBe(false);
  });
});
