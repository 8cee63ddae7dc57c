import { describe, expect, it } from 'vitest';
import { changeTimes } from './phases.ts';

const at = (
  ms: number,
  text: string,
  node = 'node5',
): { at: number; node: string; text: string } => ({
  at: ms,
  node,
  text,
});

describe('the times of a change', () => {
  const lines = [
    at(500, 'coordinated merge goal=join result=done tookMs=9 closedMs=9000 aborted=0'), // before it
    at(1_200, 'k2hdkc-agent version=0.1.0 pid=74'),
    at(2_000, 'merge phase=gathering ring="node2 in, node5 in add pending"'),
    at(2_300, 'merge phase=merging ring="node2 in doing, node5 in add doing"'),
    at(2_800, 'merge phase=merging ring="node2 in done, node5 in add doing"'),
    at(2_900, 'merge phase=merging ring="node2 in done, node5 in add doing"', 'node2'),
    at(3_000, 'merge phase=merged ring="node2 in done, node5 in add done"'),
    at(3_400, 'merge phase=quiet ring="node2 in, node5 in"'),
    at(3_400, 'coordinated merge goal=join result=done tookMs=1 closedMs=1400 aborted=0'),
    at(3_500, 'a merge hangs: aborting it and trying again', 'node2'),
  ];

  it('say how long each phase took at the node that changed, servers that still merge by name', () => {
    const { phases } = changeTimes(lines, 'node5', [1_000, 4_000]);
    expect(phases).toEqual([
      ['before', 0.2],
      ['agent starts', 0.8],
      ['gathering', 0.3],
      ['merging: node2 node5', 0.5],
      ['merging: node5', 0.2],
      ['completing', 0.4],
      ['after it', 0.6],
    ]);
  });

  it('say how long the ring was closed, and who hung, at any node', () => {
    const { closed, hangs } = changeTimes(lines, 'node5', [1_000, 4_000]);
    expect(closed).toBe(1.4);
    expect(hangs).toEqual(['node2: a merge hangs: aborting it and trying again']);
  });
});
