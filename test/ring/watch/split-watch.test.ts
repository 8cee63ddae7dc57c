import { describe, expect, it } from 'vitest';
import type { SplitLook, SplitVerdict } from '../../../src/ring/watch/split-policy.ts';
import { SplitWatch } from '../../../src/ring/watch/split-watch.ts';
import type { RingNode } from '../../../src/ring/status.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { ring } from '../rings.ts';

const GIVE_IN_MS = 20_000;
/** After so long without a try, pauses are short again (ms). */
const CALM_MS = 900_000;
const WHOLE: SplitVerdict = { split: null, isWhole: true };
const UNKNOWN: SplitVerdict = { split: null, isWhole: false };
const GIVES_IN: SplitVerdict = {
  split: { text: (tries) => `split, tried ${tries}`, giveIn: { why: 'a cut', holdMs: 7 } },
  isWhole: false,
};
const OTHERS_DO: SplitVerdict = { split: { text: () => 'split', giveIn: null }, isWhole: false };

const names = (servers: readonly RingNode[]): string => servers.map(({ name }) => name).join('');

/** A node whose kind takes half of the patience for listening, and judges as a test says. */
class Bench {
  readonly clock = new ManualClock();
  readonly looks: SplitLook[] = [];
  verdict: SplitVerdict | null = WHOLE;
  seen = ['IN', 'IN', 'IN DOWN', 'IN DOWN'];
  listening = 'c';
  asked: [name: string, limitMs: number][] = [];
  readonly watch = new SplitWatch({
    policy: {
      normalMs: 3_000,
      patience: (giveInMs) => ({ listenMs: giveInMs / 2, verdictMs: giveInMs / 2 }),
      judge: (look) => {
        this.looks.push(look);
        return Promise.resolve(this.verdict);
      },
    },
    listens: ({ name }) => Promise.resolve(this.listening.includes(name)),
    viewOf: (server, limitMs) => {
      this.asked.push([server.name, limitMs]);
      return server.name === 'b' ? Promise.reject(new Error('hangs')) : Promise.resolve([server]);
    },
    role: () => new Set(['cuk-a', 'cuk-b', 'cuk-c']),
    giveInAfterMs: GIVE_IN_MS,
    clock: this.clock,
  });

  /** Looks every second for so long. */
  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1_000) {
      await this.watch.look(ring('a', ...this.seen));
      await this.clock.advance(1_000);
    }
  }

  /** Runs until this node gives in; resolves with how long that took, in milliseconds. */
  async untilGivenIn(): Promise<number> {
    const begin = this.clock.monotonic();
    while (this.watch.giveIn === null && this.clock.monotonic() - begin < CALM_MS) {
      await this.run(1_000);
    }
    this.watch.gaveIn();
    return this.clock.monotonic() - begin;
  }
}

describe('a look for a split', () => {
  it('comes once in five seconds', async () => {
    const bench = new Bench();
    await bench.run(26_000);
    expect(bench.looks).toHaveLength(6);
  });

  it('shows the other servers of the role, and who of them is lost', async () => {
    const bench = new Bench();
    await bench.run(1_000);
    const [look] = bench.looks;
    expect([names(look?.others ?? []), names(look?.lost ?? [])]).toEqual(['bc', 'c']);
    expect(look?.ring.self.name).toBe('a');
  });

  it('shows who of them has listened for long enough, at each look', async () => {
    const bench = new Bench();
    await bench.run(11_000);
    expect(bench.looks.map(({ back }) => names(back))).toEqual(['', '', 'c']);
    bench.listening = '';
    await bench.run(5_000);
    bench.listening = 'c';
    await bench.run(15_000);
    expect(bench.looks.slice(3).map(({ back }) => names(back))).toEqual(['', '', '', 'c']);
  });

  it('shows once what a server that was asked for another reason has said', async () => {
    const bench = new Bench();
    bench.watch.heard(ring('b', 'IN', 'IN').servers);
    await bench.run(6_000);
    expect(bench.looks.map(({ heard }) => names(heard))).toEqual(['ab', '']);
  });

  it('asks servers for a short time, and leaves out those that do not answer', async () => {
    const bench = new Bench();
    await bench.run(1_000);
    const views = await bench.looks[0]?.ask(bench.looks[0].others);
    expect(bench.asked).toEqual([
      ['b', 2_000],
      ['c', 2_000],
    ]);
    expect([...(views ?? [])].map(([, view]) => names(view))).toEqual(['c']);
  });
});

describe('a node gives in', () => {
  it('when that has been the verdict for its part of the patience', async () => {
    const bench = new Bench();
    bench.verdict = GIVES_IN;
    await bench.run(9_000);
    expect(bench.watch.giveIn).toBeNull();
    await bench.run(1_000);
    expect(bench.watch.giveIn).toEqual({ why: 'a cut', holdMs: 7 });
  });

  it.each([
    ['the ring is whole', WHOLE],
    ['nothing is known', UNKNOWN],
    ['others are to give in', OTHERS_DO],
  ])('not when it was interrupted by: %s', async (_, between) => {
    const bench = new Bench();
    bench.verdict = GIVES_IN;
    await bench.run(6_000);
    bench.verdict = between;
    await bench.run(5_000);
    bench.verdict = GIVES_IN;
    await bench.run(9_000);
    expect(bench.watch.giveIn).toBeNull();
    await bench.run(6_000);
    expect(bench.watch.giveIn).not.toBeNull();
  });

  it('although there was no verdict once', async () => {
    const bench = new Bench();
    bench.verdict = GIVES_IN;
    await bench.run(6_000);
    bench.verdict = null;
    await bench.run(5_000);
    bench.verdict = GIVES_IN;
    await bench.run(5_000);
    expect(bench.looks.map(({ wasSplit }) => wasSplit)).toEqual([false, true, true, true]);
    expect(bench.watch.giveIn).not.toBeNull();
  });

  it('not for what was seen two rounds ago', async () => {
    const bench = new Bench();
    bench.verdict = GIVES_IN;
    await bench.run(11_000);
    await bench.clock.advance(10_000);
    expect(bench.watch.giveIn).toBeNull();
  });

  it('not at once when the ring was not settled for long', async () => {
    const bench = new Bench();
    bench.verdict = GIVES_IN;
    await bench.run(6_000);
    await bench.clock.advance(30_000);
    await bench.run(1_000);
    expect(bench.watch.giveIn).toBeNull();
  });

  it('and then all is as if nothing had been seen', async () => {
    const bench = new Bench();
    bench.verdict = GIVES_IN;
    await bench.run(11_000);
    bench.watch.gaveIn();
    expect([bench.watch.giveIn, bench.watch.findings]).toEqual([null, []]);
    bench.looks.length = 0;
    await bench.run(16_000);
    expect(bench.looks.map(({ back }) => names(back))).toEqual(['', '', '']);
    expect(bench.looks[0]?.wasSplit).toBe(false);
  });

  it('later each time that it does not help, and soon again after a long calm', async () => {
    const bench = new Bench();
    bench.verdict = GIVES_IN;
    const first = await bench.untilGivenIn();
    const second = await bench.untilGivenIn();
    const third = await bench.untilGivenIn();
    expect([second > first, third > second]).toEqual([true, true]);
    bench.verdict = UNKNOWN;
    await bench.run(CALM_MS + 10_000);
    bench.verdict = GIVES_IN;
    const fourth = await bench.untilGivenIn();
    bench.verdict = WHOLE;
    await bench.run(CALM_MS + 10_000);
    bench.verdict = GIVES_IN;
    const fifth = await bench.untilGivenIn();
    expect([fourth > third, fifth < second]).toEqual([true, true]);
  });
});

describe('what is said of a split', () => {
  it('counts the tries, and has the patience of its kind of node', async () => {
    const bench = new Bench();
    bench.verdict = GIVES_IN;
    await bench.untilGivenIn();
    await bench.run(6_000);
    const said = { kind: 'ring-split', subject: 'ring', text: 'split, tried 1', patienceMs: 3_000 };
    expect(bench.watch.findings).toEqual([said]);
  });

  it('is over when the ring is whole, or chmpx gone, or nothing was seen for long', async () => {
    const bench = new Bench();
    const said = (): number => bench.watch.findings.length;
    for (const end of [
      async () => {
        bench.verdict = WHOLE;
        await bench.run(6_000);
      },
      () =>
        Promise.resolve().then(() => {
          bench.watch.forget();
        }),
      () => bench.clock.advance(31_000),
    ]) {
      bench.verdict = OTHERS_DO;
      await bench.run(6_000);
      expect(said()).toBe(1);
      await end();
      expect(said()).toBe(0);
    }
  });
});
