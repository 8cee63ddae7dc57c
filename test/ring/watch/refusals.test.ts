import { describe, expect, it } from 'vitest';
import type { RingStatus } from '../../../src/ring/status.ts';
import { Refusals } from '../../../src/ring/watch/refusals.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { ring } from '../rings.ts';

/** A slave whose view of the servers a, b and c, and theirs, a test writes. */
class Bench {
  readonly clock = new ManualClock();
  /** As one sees it that b and c have refused. */
  seen = ['IN', 'IN DOWN', 'IN DOWN'];
  theirs = ['IN', 'IN', 'IN'];
  listening = 'abc';
  pid = 7;
  live: 'UP' | 'DOWN' = 'UP';
  role = new Set(['cuk-a', 'cuk-b', 'cuk-c']);
  asked: string[] = [];
  /** Those that do not answer. */
  deaf = '';
  readonly refusals = new Refusals({
    listens: ({ name }) => Promise.resolve(this.listening.includes(name)),
    viewOf: ({ name }) => {
      this.asked.push(name);
      if (this.deaf.includes(name)) return Promise.reject(new Error('no answer'));
      return Promise.resolve(ring(name, ...this.theirs).servers);
    },
    role: () => this.role,
    clock: this.clock,
  });

  /** The first look only notes that chmpx is UP: it has not connected yet. */
  async begin(): Promise<void> {
    await this.run(0.5);
  }

  /** Looks twice a second. */
  async run(seconds: number): Promise<void> {
    for (let passed = 0; passed < seconds; passed += 0.5) {
      await this.look();
      await this.clock.advance(500);
    }
  }

  look(): Promise<number | null> {
    return this.refusals.look(this.ring);
  }

  /** chmpx starts again. */
  async restart(): Promise<void> {
    this.refusals.gaveIn();
    this.pid += 1;
    await this.begin();
  }

  get isLetIn(): boolean {
    return this.refusals.hasLetIn(this.pid);
  }

  get ring(): RingStatus {
    const seen = ring('slave', ...this.seen);
    return { ...seen, chmpxPid: this.pid, self: { ...seen.self, ring: 'SLAVE', live: this.live } };
  }
}

const WHY =
  'b, c serve in the ring, and have refused this slave: they did not know it when its chmpx started';

describe('a slave that was refused', () => {
  it('is not let in before chmpx has connected, and is when no server is strange to it', async () => {
    const bench = new Bench();
    bench.seen = ['IN', 'IN', 'IN'];
    bench.live = 'DOWN';
    await bench.run(10);
    bench.live = 'UP';
    expect([await bench.look(), bench.isLetIn]).toEqual([500, false]);
    await bench.clock.advance(500);
    expect([await bench.look(), bench.isLetIn]).toEqual([500, true]);
    await bench.clock.advance(2_500);
    expect([await bench.look(), bench.isLetIn]).toEqual([null, true]);
    bench.pid += 1;
    expect(bench.isLetIn).toBe(false);
    expect(bench.asked).toEqual([]);
  });

  it('may take a server for up by the word of another before it is refused', async () => {
    const bench = new Bench();
    bench.seen = ['IN', 'IN', 'IN'];
    await bench.begin();
    await bench.look();
    expect(bench.isLetIn).toBe(true);
    bench.seen = ['IN', 'IN', 'IN DOWN'];
    await bench.clock.advance(500);
    await bench.look();
    expect(bench.isLetIn).toBe(false);
    await bench.clock.advance(1_000);
    expect(bench.refusals.giveIn?.why).toContain('c serve in the ring');
  });

  it('sees it by a server that let it in, and tries again after a second', async () => {
    const bench = new Bench();
    await bench.begin();
    expect(bench.asked).toEqual([]);
    expect(await bench.look()).toBe(500);
    expect([bench.isLetIn, bench.asked]).toEqual([false, ['a']]);
    expect(bench.refusals.giveIn).toBeNull();
    await bench.run(1);
    expect(bench.refusals.giveIn).toEqual({ why: WHY, holdMs: 0 });
    expect(bench.asked).toEqual(['a']);
    expect(bench.refusals.findings).toEqual([
      {
        kind: 'refused',
        subject: 'ring',
        text: `${WHY}: chmpx of this slave starts again`,
        patienceMs: 1_000,
      },
    ]);
  });

  it('sees it by what a server says of itself when none let it in', async () => {
    const bench = new Bench();
    bench.seen = ['OUT DOWN', 'OUT DOWN', 'OUT DOWN'];
    bench.listening = 'bc';
    await bench.begin();
    await bench.run(5);
    expect([bench.isLetIn, bench.asked], 'it may be starting').toEqual([false, []]);
    await bench.run(1.5);
    expect(bench.asked).toEqual(['b']);
    expect(bench.refusals.giveIn?.why).toBe(WHY);
  });

  it('is let in when those that listen start, and none serves', async () => {
    const bench = new Bench();
    bench.seen = ['OUT DOWN', 'OUT DOWN', 'OUT DOWN'];
    bench.theirs = ['OUT', 'OUT', 'OUT'];
    await bench.begin();
    await bench.run(4);
    expect([bench.isLetIn, bench.asked]).toEqual([false, []]);
    bench.seen = ['OUT', 'OUT', 'OUT'];
    await bench.run(0.5);
    expect([bench.isLetIn, bench.asked]).toEqual([true, []]);
  });

  it('says so until a chmpx was let in by all, and waits twice as long each time', async () => {
    const bench = new Bench();
    await bench.begin();
    await bench.run(1.5);
    for (const seconds of [2, 4, 8, 16]) {
      await bench.restart();
      expect(bench.refusals.giveIn).toBeNull();
      expect(bench.refusals.findings).toHaveLength(1);
      await bench.run(seconds - 0.5);
      expect(bench.refusals.giveIn).toBeNull();
      await bench.run(0.5);
      expect(bench.refusals.giveIn).not.toBeNull();
    }
    await bench.restart();
    expect(bench.refusals.findings[0]?.text).toContain('did not help 5 times: look at their');
    bench.seen = ['IN', 'IN', 'IN'];
    await bench.look();
    expect([bench.isLetIn, bench.refusals.giveIn, bench.refusals.findings]).toEqual([
      true,
      null,
      [],
    ]);
  });

  it.each<[string, (bench: Bench) => void]>([
    ['they are down', (bench) => (bench.listening = 'a')],
    ['they are no servers of the role', (bench) => (bench.role = new Set(['cuk-a']))],
    ['they do not serve yet', (bench) => (bench.theirs = ['IN', 'OUT', 'IN ADD Pending'])],
    ['nobody says that they serve', (bench) => (bench.deaf = 'a')],
  ])('is let in when %s', async (_, change) => {
    const bench = new Bench();
    change(bench);
    await bench.run(10);
    expect(bench.isLetIn).toBe(true);
    expect(bench.refusals.giveIn).toBeNull();
    expect(bench.refusals.findings).toEqual([]);
  });

  it('asks no more than every two seconds, while somebody listens', async () => {
    const bench = new Bench();
    bench.theirs = ['IN', 'OUT', 'IN ADD Pending'];
    await bench.begin();
    await bench.run(10);
    expect(bench.asked).toHaveLength(5);
    bench.listening = 'a';
    await bench.run(10);
    expect(bench.asked).toHaveLength(5);
  });

  it('does not take one for it that it has lost since', async () => {
    const bench = new Bench();
    bench.seen = ['IN', 'IN', 'OUT DOWN'];
    bench.listening = 'ab';
    await bench.run(5);
    expect(bench.refusals.metOf(bench.role)).toEqual(new Set(['cuk-a', 'cuk-b']));
    bench.seen = ['IN', 'IN DOWN', 'OUT DOWN'];
    await bench.run(10);
    expect([bench.isLetIn, bench.asked]).toEqual([true, []]);
    await bench.restart();
    await bench.run(5);
    expect(bench.refusals.metOf(bench.role)).toEqual(new Set(['cuk-a']));
    expect(bench.isLetIn).toBe(false);
  });
});
