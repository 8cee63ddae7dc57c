import { describe, expect, it } from 'vitest';
import { serverKey } from '../../../src/ring/ring.ts';
import { serverSplit } from '../../../src/ring/watch/server-split.ts';
import { slaveSplit } from '../../../src/ring/watch/slave-split.ts';
import type { SplitLook, SplitPolicy } from '../../../src/ring/watch/split-policy.ts';
import type { RingNode, RingStatus } from '../../../src/ring/status.ts';
import { ring } from '../rings.ts';

/** What a policy sees of a ring whose servers a, b and c are in the role, and whom it asks. */
function look(seen: RingStatus, theirs: RingStatus, back = ''): { of: SplitLook; asked: string[] } {
  const asked: string[] = [];
  const others = seen.servers.filter(({ name }) => name !== seen.self.name);
  const lost = others.filter(({ live }) => live === 'DOWN');
  const ask = (servers: readonly RingNode[]): Promise<Map<string, readonly RingNode[]>> => {
    asked.push(...servers.map(({ name }) => name));
    return Promise.resolve(new Map(servers.map((one) => [serverKey(one), theirs.servers])));
  };
  return {
    asked,
    of: {
      ring: seen,
      others,
      lost,
      ask,
      heard: [],
      wasSplit: false,
      back: lost.filter(({ name }) => back.includes(name)),
    },
  };
}

/** What holds for every kind of node. */
describe.each<[string, SplitPolicy, string]>([
  ['a server', serverSplit, 'c'],
  ['a slave', slaveSplit, 'slave'],
])('the policy of %s', (_, policy, self) => {
  const whole = ring(self, 'IN', 'IN', 'IN');

  it('is as patient as it is told to be, and no longer', () => {
    for (const giveInMs of [20_000, 60_000]) {
      const { listenMs, verdictMs } = policy.patience(giveInMs);
      expect(Math.max(listenMs, verdictMs)).toBe(giveInMs);
    }
  });

  it('finds a whole ring whole, and asks nobody about it', async () => {
    const { of, asked } = look(whole, whole);
    expect(await policy.judge(of)).toEqual({ split: null, isWhole: true });
    expect(asked).toEqual([]);
  });

  it('asks nobody about servers that are down and do not listen: they are down', async () => {
    const { of, asked } = look(ring(self, 'IN DOWN', 'IN DOWN', 'IN'), whole);
    expect((await policy.judge(of))?.split).toBeNull();
    expect(asked).toEqual([]);
  });

  it('has this node give in to servers that it lost and that serve', async () => {
    const { of } = look(
      ring(self, 'IN DOWN', 'IN DOWN', 'IN'),
      ring('a', 'IN', 'IN', self === 'c' ? 'IN DOWN' : 'IN'),
      'ab',
    );
    const verdict = await policy.judge(of);
    expect(verdict).toMatchObject({ isWhole: false, split: { giveIn: { holdMs: 0 } } });
    expect(verdict?.split?.giveIn?.why).toContain('a, b');
    expect(verdict?.split?.text(0)).toMatch(/starts? again/);
  });
});
