import { describe, expect, it } from 'vitest';
import {
  isLastServer,
  membershipChangeRuns,
  mustLeaveRing,
  otherServersIn,
} from '../../src/ring/ring.ts';
import { parseNodeStatus, type RingNode, type RingStatus } from '../../src/ring/status.ts';

const IN = '[SERVICE IN][UP][n/a][Nothing][NoSuspend]';
const OUT = '[SERVICE OUT][UP][n/a][Nothing][NoSuspend]';
const DOWN = '[SERVICE OUT][DOWN][n/a][Nothing][NoSuspend]';
const JOINING = '[SERVICE IN][UP][ADD][Doing][NoSuspend]';

function node(number: number, words: string): RingNode {
  return {
    name: '192.0.2.2',
    cuk: `cuk-${number}`,
    seed: `seed-${number}`,
    controlPort: 8000 + number,
    ...parseNodeStatus(`SAFE -> ${words}`),
  };
}

/** The view of the first of some servers. */
function ring(self: string, ...others: string[]): RingStatus {
  const servers = [self, ...others].map((words, index) => node(index, words));
  return { chmpxPid: 1, group: 'g', self: node(0, self), servers, slaves: [], operating: false };
}

describe('otherServersIn, isLastServer and mustLeaveRing', () => {
  it.each([
    ['alone', ring(IN), [], false],
    ['with a dead and a detached server', ring(IN, DOWN, OUT), [], false],
    ['with one that serves', ring(IN, DOWN, IN), ['cuk-2'], true],
    ['with one that joins', ring(IN, JOINING), ['cuk-1'], true],
    ['itself out already', ring(OUT, IN), ['cuk-1'], false],
  ])('see a server %s', (_what, status, others, must) => {
    const role = new Set<string>();
    expect(otherServersIn(status).map(({ cuk }) => cuk)).toEqual(others);
    expect(isLastServer(status)).toBe(others.length === 0);
    expect(mustLeaveRing(status, role)).toBe(must);
  });

  it('one that is down keeps its place, and must get its data, while the role has it', () => {
    const KEPT = '[SERVICE IN][DOWN][n/a][Nothing][NoSuspend]';
    expect(mustLeaveRing(ring(IN, KEPT), new Set(['cuk-0', 'cuk-1']))).toBe(true);
    expect(mustLeaveRing(ring(IN, KEPT), new Set(['cuk-0']))).toBe(false);
    expect(mustLeaveRing(ring(IN, DOWN), new Set(['cuk-0', 'cuk-1']))).toBe(false);
    expect(mustLeaveRing(ring(OUT, KEPT), new Set(['cuk-0', 'cuk-1']))).toBe(false);
    expect(mustLeaveRing(ring(KEPT), new Set(['cuk-0']))).toBe(false);
  });
});

describe('membershipChangeRuns', () => {
  it.each([
    ['settled', ring(IN, IN, DOWN), false],
    ['joining', ring(IN, JOINING), true],
    ['merging', ring('[SERVICE IN][UP][n/a][Doing][NoSuspend]'), true],
    ['operating', { ...ring(IN, IN), operating: true }, true],
  ])('sees a ring that is %s', (_what, status, runs) => {
    expect(membershipChangeRuns(status)).toBe(runs);
  });
});
