import { expect, it } from 'vitest';
import {
  absentServers,
  mergePhase,
  type MergePhase,
} from '../../../src/ring/change/merge-phase.ts';
import { ring } from '../rings.ts';

it.each<[MergePhase, string[]]>([
  ['quiet', ['IN', 'IN', 'OUT']],
  ['gathering', ['IN', 'IN', 'IN ADD Pending']],
  ['gathered', ['IN Pending', 'IN DELETE Pending', 'IN ADD Pending']],
  ['gathered', ['IN', 'IN', 'IN Pending']],
  ['merging', ['IN Done', 'IN Doing', 'IN ADD Done']],
  ['mixed', ['IN Done', 'IN Pending', 'IN ADD Done']],
  ['merged', ['IN Done', 'IN Done', 'IN ADD Done']],
  ['mixed', ['IN Done', 'IN DOWN', 'IN ADD Done']],
  ['mixed', ['IN Doing', 'IN DOWN', 'IN ADD Doing']],
  ['mixed', ['IN Done', 'IN Suspend', 'IN ADD Done']],
  ['merged', ['IN Done', 'IN DOWN', 'IN']],
  ['merged', ['IN Done', 'IN', 'IN']],
  ['gathered', ['IN Pending', 'IN DOWN', 'IN ADD Pending']],
])('%s: %s', (phase, statuses) => {
  expect(mergePhase(ring('a', ...statuses))).toBe(phase);
});

it('a server is absent that has a place and lacks a program, unless it leaves or is gone', () => {
  const status = ring('a', 'IN', 'IN DOWN', 'IN Suspend', 'IN DOWN DELETE', 'OUT DOWN', 'IN DOWN');
  const names = (role?: ReadonlySet<string>): string =>
    absentServers(status, role)
      .map(({ name }) => name)
      .join('');
  expect(names()).toBe('bcf');
  expect(names(new Set())).toBe('bcf');
  expect(names(new Set(['cuk-a', 'cuk-b', 'cuk-c']))).toBe('bc');
});
