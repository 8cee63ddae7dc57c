import { describe, expect, it } from 'vitest';
import { findConcerns, type Sighting } from '../../../src/ring/watch/concerns.ts';
import { ring } from '../rings.ts';

const TIMES = { mergeMs: 300_000, startMs: 60_000 };
const ROLE = {
  cuks: new Set(['cuk-a', 'cuk-b', 'cuk-c']),
  ringStableMs: 60_000,
  ringIsNew: false,
};

/** What node a finds in a ring of a, b and c, as `kind subject patience`. */
function found(statuses: string[], change: Partial<Sighting> = {}): string[] {
  const sighting = { ring: ring('a', ...statuses), role: ROLE, seenUp: new Set<string>() };
  return findConcerns({ ...sighting, asked: [], ...change }, TIMES).map(
    ({ kind, subject, patienceMs }) => `${kind} ${subject} ${patienceMs}`,
  );
}

const roleOf = (...names: string[]) => ({
  ...ROLE,
  cuks: new Set(names.map((name) => `cuk-${name}`)),
});
const NEW = { ...ROLE, ringIsNew: true, ringStableMs: 7_000 };

describe('what is wrong with a ring', () => {
  it.each<[string, string[], string[], Partial<Sighting>?]>([
    ['nothing', ['IN', 'IN', 'IN'], []],
    ['a server is down', ['IN', 'OUT DOWN', 'IN'], ['server-down b 3000']],
    ['one is down and keeps its place', ['IN', 'IN DOWN', 'IN'], ['server-down b 3000']],
    [
      'a new one has not come yet',
      ['IN', 'IN', 'OUT DOWN'],
      ['server-down c 60000'],
      { role: NEW },
    ],
    [
      'a new one was here and is gone',
      ['IN', 'IN', 'OUT DOWN'],
      ['server-down c 3000'],
      { role: NEW, seenUp: new Set(['cuk-c:8021']) },
    ],
    [
      'a new one does not come',
      ['IN', 'IN', 'OUT DOWN'],
      ['server-down c 3000'],
      { role: { ...NEW, ringStableMs: 60_000 } },
    ],
    ['one has left', ['IN', 'IN', 'OUT DOWN'], [], { role: roleOf('a', 'b') }],
    ['one has no k2hdkc', ['IN', 'IN Suspend', 'IN'], ['server-suspended b 5000']],
    ['one starts', ['IN', 'OUT Suspend', 'IN'], ['server-out b 60000']],
    ['one is out', ['IN', 'OUT', 'IN'], ['server-out b 60000']],
    ['one waits for the merge of another', ['IN', 'OUT', 'IN Doing'], ['merge-long ring 300000']],
    ['a merge', ['IN Doing', 'IN Done', 'IN ADD Doing'], ['merge-long ring 300000']],
    ['it waits', ['IN Pending', 'IN', 'IN ADD Pending'], ['merge-waits ring 60000']],
    ['nobody completes it', ['IN', 'IN', 'IN ADD Done'], ['merge-waits ring 60000']],
    [
      'who left in the middle of a merge, and is down',
      ['IN', 'IN', 'IN DELETE Done DOWN'],
      ['server-down c 3000'],
    ],
    ['chmpx lacks a server', ['IN', 'IN'], ['role-differs ring 5000']],
    [
      'the role lacks a server that is in',
      ['IN', 'IN', 'IN'],
      ['role-differs ring 5000'],
      { role: roleOf('a', 'b') },
    ],
    [
      'the role lacks one that leaves',
      ['IN', 'IN', 'OUT'],
      ['role-differs ring 5000'],
      { role: roleOf('a', 'b') },
    ],
    ['the role is not known', ['IN', 'IN'], [], { role: roleOf() }],
    [
      'what was asked counts too',
      ['IN', 'IN', 'IN'],
      ['no-answer b 0'],
      { asked: [{ kind: 'no-answer', subject: 'b', text: '', patienceMs: 0 }] },
    ],
  ])('%s', (_, statuses, expected, change) => {
    expect(found(statuses, change)).toEqual(expected);
  });

  it('is said in one line that names the servers and what to do', () => {
    const text = (statuses: string[], role = ROLE): string | undefined =>
      findConcerns({ ring: ring('a', ...statuses), role, seenUp: new Set(), asked: [] }, TIMES)[0]
        ?.text;
    expect(text(['IN', 'IN Doing', 'IN Done'])).toMatch(
      /not ended for 300 s, still Doing: b; docs/,
    );
    expect(text(['IN', 'IN', 'IN ADD Done'])).toContain('c [SERVICE IN][UP][ADD][Done][NoSuspend]');
    expect(text(['IN', 'IN'])).toContain('chmpx lacks the CUK cuk-c;');
    expect(text(['IN', 'IN', 'IN'], roleOf('a', 'b'))).toContain('the role lacks c;');
  });

  it('is only about others, except for merges', () => {
    expect(found(['OUT', 'IN', 'IN'])).toEqual([]);
    expect(found(['IN Suspend', 'IN', 'IN'])).toEqual([]);
  });
});
