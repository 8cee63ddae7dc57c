import { expect, it } from 'vitest';
import { AwaitedServers } from '../../../src/ring/change/awaited-servers.ts';
import { ring } from '../rings.ts';

const HANGS = ring('a', 'IN Done', 'IN Doing', 'IN ADD Done');
const ABORTED = ring('a', 'IN Pending', 'IN Pending', 'IN ADD Pending');

it('waits until the one that hung was gone and is back', () => {
  const hung = new AwaitedServers();
  expect(hung.awaited(ABORTED, 0)).toBe(false);
  hung.aborted(HANGS, 0, 60_000);
  expect(hung.awaited(ABORTED, 200)).toBe(true);
  expect(hung.awaited(ring('a', 'IN Pending', 'IN Suspend', 'IN ADD Pending'), 1_000)).toBe(true);
  expect(hung.awaited(ring('a', 'IN Pending', 'IN DOWN', 'IN ADD Pending'), 12_000)).toBe(true);
  expect(hung.awaited(ABORTED, 13_000)).toBe(false);
});

it('does not wait for ever for an agent that does nothing', () => {
  const hung = new AwaitedServers();
  hung.aborted(HANGS, 0, 60_000);
  expect(hung.awaited(ABORTED, 9_900)).toBe(true);
  expect(hung.awaited(ABORTED, 10_100)).toBe(false);
});

it('waits for nobody when it hung itself', () => {
  const hung = new AwaitedServers();
  hung.aborted(ring('b', 'IN Done', 'IN Doing', 'IN ADD Done'), 0, 60_000);
  expect(hung.awaited(ABORTED, 200)).toBe(false);
});

it('waits for the others too when it hung beside them', () => {
  const hung = new AwaitedServers();
  hung.aborted(ring('c', 'IN Doing', 'IN Doing', 'IN ADD Doing'), 0, 60_000);
  expect(hung.awaited(ring('c', 'IN DOWN', 'IN Pending', 'OUT'), 200)).toBe(true);
  expect(hung.awaited(ring('c', 'IN Pending', 'IN Suspend', 'OUT'), 2_000)).toBe(true);
  expect(hung.awaited(ring('c', 'IN Pending', 'IN Pending', 'OUT'), 3_000)).toBe(false);
});

it('waits away no more than half of the time that is left to the leader', () => {
  const hung = new AwaitedServers();
  hung.aborted(HANGS, 1_000, 3_000);
  expect(hung.awaited(ABORTED, 2_500)).toBe(true);
  expect(hung.awaited(ABORTED, 2_501)).toBe(false);
});

it('waits for one that has gone from the ring altogether, until it is back', () => {
  const hung = new AwaitedServers();
  hung.aborted(HANGS, 0, 60_000);
  expect(hung.awaited(ring('a', 'IN Pending'), 200)).toBe(true);
  expect(hung.awaited(ABORTED, 300)).toBe(false);
});
