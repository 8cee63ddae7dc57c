import { describe, expect, it } from 'vitest';
import { slaveSplit } from '../../../src/ring/watch/slave-split.ts';
import { SplitWatch } from '../../../src/ring/watch/split-watch.ts';
import type { RingStatus } from '../../../src/ring/status.ts';
import { ring } from '../rings.ts';
import { ManualClock } from '../../base/manual-clock.ts';

/** A slave whose view of the servers a, b and c, and theirs, a test writes. */
class Bench {
  readonly clock = new ManualClock();
  seen = ['IN', 'OUT DOWN', 'OUT DOWN'];
  theirs = ['IN', 'IN', 'IN'];
  listening = 'abc';
  role = new Set(['cuk-a', 'cuk-b', 'cuk-c']);
  asked: string[] = [];
  readonly split = new SplitWatch({
    policy: slaveSplit,
    listens: ({ name }) => Promise.resolve(this.listening.includes(name)),
    viewOf: ({ name }) => {
      this.asked.push(name);
      return Promise.resolve(ring(name, ...this.theirs).servers);
    },
    role: () => this.role,
    giveInAfterMs: 20_000,
    clock: this.clock,
  });

  async run(seconds: number): Promise<void> {
    for (let passed = 0; passed < seconds; passed += 2) {
      await this.split.look(this.ring);
      await this.clock.advance(2_000);
    }
  }

  get ring(): RingStatus {
    return ring('slave', ...this.seen);
  }
}

describe('a slave that has lost servers in a cut', () => {
  it('gives in when one that it sees says for long that they serve', async () => {
    const bench = new Bench();
    await bench.run(20);
    expect(bench.asked).toEqual([]);
    expect(bench.split.giveIn).toBeNull();
    await bench.run(8);
    expect(bench.asked).toEqual(['a']);
    const why = 'b, c serve in the ring, and this slave has lost them in a cut';
    expect(bench.split.giveIn).toEqual({ why, holdMs: 0 });
    expect(bench.split.findings).toMatchObject([{ kind: 'ring-split', subject: 'ring' }]);
    bench.split.gaveIn();
    expect(bench.split.giveIn).toBeNull();
    expect(bench.split.findings).toEqual([]);
  });

  it('waits twice as long when that did not help', async () => {
    const bench = new Bench();
    await bench.run(28);
    bench.split.gaveIn();
    await bench.run(38);
    expect(bench.split.giveIn).toBeNull();
    await bench.run(10);
    expect(bench.split.giveIn).not.toBeNull();
  });

  it.each<[string, (bench: Bench) => void]>([
    ['they are down', (bench) => (bench.listening = 'a')],
    ['they are no servers of the role', (bench) => (bench.role = new Set(['cuk-a']))],
    ['the others have lost them too', (bench) => (bench.theirs = ['IN', 'IN DOWN', 'IN DOWN'])],
    ['they are not in service', (bench) => (bench.theirs = ['IN', 'OUT', 'IN ADD Doing'])],
    [
      'all are lost: chmpx tries again',
      (bench) => (bench.seen = ['IN DOWN', 'IN DOWN', 'IN DOWN']),
    ],
  ])('does not when %s', async (_, change) => {
    const bench = new Bench();
    change(bench);
    await bench.run(60);
    expect(bench.split.giveIn).toBeNull();
    expect(bench.split.findings).toEqual([]);
  });

  it('does not when they are back', async () => {
    const bench = new Bench();
    await bench.run(20);
    bench.seen = ['IN', 'IN', 'IN'];
    await bench.run(10);
    expect(bench.split.giveIn).toBeNull();
    expect(bench.asked).toEqual([]);
  });
});
