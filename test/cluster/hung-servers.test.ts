import { expect, it } from 'vitest';
import { HungServers } from '../../src/cluster/hung-servers.ts';
import { ring } from './rings.ts';

const HANGS = ring('a', 'IN Done', 'IN Doing', 'IN ADD Done');
const ABORTED = ring('a', 'IN Pending', 'IN Pending', 'IN ADD Pending');

it('waits until the one that hung was gone and is back', () => {
  const hung = new HungServers();
  expect(hung.awaited(ABORTED, 0)).toBe(false);
  hung.aborted(HANGS, 0);
  expect(hung.awaited(ABORTED, 200)).toBe(true);
  expect(hung.awaited(ring('a', 'IN Pending', 'IN Suspend', 'IN ADD Pending'), 1_000)).toBe(true);
  expect(hung.awaited(ring('a', 'IN Pending', 'IN DOWN', 'IN ADD Pending'), 12_000)).toBe(true);
  expect(hung.awaited(ABORTED, 13_000)).toBe(false);
});

it('does not wait for ever for an agent that does nothing', () => {
  const hung = new HungServers();
  hung.aborted(HANGS, 0);
  expect(hung.awaited(ABORTED, 9_900)).toBe(true);
  expect(hung.awaited(ABORTED, 10_100)).toBe(false);
});

it('waits for nobody when it hung itself, and when nobody had finished', () => {
  const hung = new HungServers();
  hung.aborted(ring('b', 'IN Done', 'IN Doing', 'IN ADD Done'), 0);
  hung.aborted(ring('a', 'IN Doing', 'IN Doing', 'IN ADD Doing'), 0);
  expect(hung.awaited(ABORTED, 200)).toBe(false);
});
