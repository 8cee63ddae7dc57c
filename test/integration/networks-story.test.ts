import { describe, expect, inject, it } from 'vitest';
import { namespacesPermitted } from '../peers/vm/permitted.ts';
import { playClusterStory } from '../story/cluster-story.ts';
import { Timeline } from '../story/timeline.ts';
import { openTwoNetworks } from '../story/two-networks.ts';

const reason = namespacesPermitted();
if (reason !== null) process.stderr.write(`simulated VMs are not permitted here: ${reason}\n`);

describe.runIf(reason === null)("a cluster's life in two networks", () => {
  it.each([
    ['both families, the names leading to both', 'dual'],
    ['IPv6 only, those of K2HR3 and the broker too', 'ipv6'],
  ] as const)('with addresses of %s', { timeout: 1_200_000 }, async (_, family) => {
    const { stage } = await openTwoNetworks(inject('broker'), { family });
    const lines: string[] = [];
    const timeline = new Timeline((line) => lines.push(line));
    await playClusterStory(stage, timeline, { outageSeconds: 2, keys: 50 }).finally(() =>
      process.stdout.write(`${timeline.table()}\n`),
    );
    expect(timeline.ok).toBe(true);
  });
});
