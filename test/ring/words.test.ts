import { expect, it } from 'vitest';
import { ringWords } from '../../src/ring/words.ts';
import { ring, server } from './rings.ts';

it('says each server in short, by the first part of its name', () => {
  const status = ring('a', 'IN', 'OUT', 'IN DOWN', 'IN ADD Pending', 'IN DELETE Doing Suspend');
  expect(ringWords(status)).toBe(
    'a in, b out, c in down, d in add pending, e in delete doing suspended',
  );
  const named = { ...status, servers: [server('vm1.novalocal', 'IN')] };
  expect(ringWords(named)).toBe('vm1 in');
});
