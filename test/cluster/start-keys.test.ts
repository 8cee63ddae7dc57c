import { describe, expect, it } from 'vitest';
import { parseRole } from '../../src/cluster/parse-role.ts';
import { renderIni } from '../../src/cluster/render.ts';
import {
  geometryChanges,
  rollFor,
  startKeys,
  withStartKeys,
  type Started,
} from '../../src/cluster/start-keys.ts';
import { CUK1, roleModel, withLine } from './roles.ts';

type Edit = (text: string) => string;

/** The ini of the first of three servers, after `edit` changed the role. */
function ini(edit: Edit = (text) => text): string {
  return renderIni(roleModel('threeServers', edit), { cuk: CUK1, origin: 'a role' });
}

const set =
  (key: string, value: string): Edit =>
  (text) =>
    withLine(text, key, `${key} = ${value}`);
const ofK2hdkc =
  (key: string, value: string): Edit =>
  (text) => {
    const at = text.indexOf('[K2HDKC]');
    return text.slice(0, at) + set(key, value)(text.slice(at));
  };
/** In the section of the server of this CUK. */
const ofServer =
  (cuk: string, key: string, value: string): Edit =>
  (text) => {
    const at = text.indexOf(cuk);
    return text.slice(0, at) + set(key, value)(text.slice(at));
  };

const OLD = ini();
const STARTED: Started = { chmpx: startKeys(OLD, 'chmpx'), k2hdkc: startKeys(OLD, 'k2hdkc') };

describe('what a new ini asks of the programs', () => {
  it.each<[string, Edit, 'k2hdkc' | 'pair' | null, string[]]>([
    ['nothing new', (text) => text, null, []],
    ['threads of k2hdkc', set('MAXTHREAD', '50'), 'k2hdkc', ['[K2HDKC] MAXTHREAD']],
    [
      'a key that k2hdkc did not have',
      (text) => `${text}\nEXPIRE = 60\n`,
      'k2hdkc',
      ['[K2HDKC] EXPIRE'],
    ],
    [
      'what k2hdkc takes when it attaches',
      set('MQRWTIMEOUT', '600'),
      'k2hdkc',
      ['[GLOBAL] MQRWTIMEOUT'],
    ],
    ['the size of a new data file', ofK2hdkc('K2HMASKBIT', '16'), null, []],
    ['a key that k2hdkc never uses', set('K2HINIT', 'yes'), null, []],
    ['another data file', set('K2HFILE', '/data/new.k2h'), 'pair', ['[K2HDKC] K2HFILE']],
    ['queues of chmpx', set('MAXMQCLIENT', '256'), 'pair', ['[GLOBAL] MAXMQCLIENT']],
    ['the message store of chmpx', set('K2HMASKBIT', '6'), 'pair', ['[GLOBAL] K2HMASKBIT']],
    ['another cluster', set('GROUP', 'another'), 'pair', ['[GLOBAL] GROUP']],
    ['replicas, timeouts and threads', set('REPLICA', '2'), null, []],
    ['times', set('RWTIMEOUT', '20000'), null, []],
    ['who merges', set('AUTOMERGE', 'off'), null, []],
    ['the own port', ofServer(CUK1, 'PORT', '8040'), 'pair', ['[SVRNODE] PORT']],
    ['the port of another server', ofServer('00000002-', 'PORT', '8040'), null, []],
    [
      'both programs',
      (text) => set('MAXTHREAD', '50')(set('MAXHISTLOG', '10')(text)),
      'pair',
      ['[GLOBAL] MAXHISTLOG', '[K2HDKC] MAXTHREAD'],
    ],
  ])('%s', (_, edit, restart, keys) => {
    const roll = rollFor(ini(edit), STARTED);
    expect(roll?.restart ?? null).toBe(restart);
    expect(roll?.keys ?? []).toEqual(keys);
    expect(roll?.leavesData ?? false).toBe(keys.includes('[K2HDKC] K2HFILE'));
  });

  it('is nothing of a program that does not run', () => {
    const edit = set('MAXTHREAD', '50');
    expect(rollFor(ini(edit), { ...STARTED, k2hdkc: null })).toBeNull();
    expect(rollFor(ini(set('MAXCHMPX', '300')), { ...STARTED, chmpx: null })).toBeNull();
  });

  it('is a leave and a join for any key of data that is in memory only', () => {
    const inMemory = (text: string): string => set('K2HTYPE', 'mem')(text);
    const started = { ...STARTED, chmpx: startKeys(ini(inMemory), 'chmpx') };
    const next = ini((text) => set('MAXTHREAD', '50')(inMemory(text)));
    expect(rollFor(next, started)).toEqual({
      restart: 'pair',
      keys: ['[K2HDKC] MAXTHREAD'],
      leavesData: true,
    });
  });
});

describe('the ini for programs that run', () => {
  const edit: Edit = (text) =>
    [set('MAXTHREAD', '50'), set('MAXCHMPX', '300'), set('REPLICA', '2')].reduce(
      (edited, one) => one(edited),
      ofServer(CUK1, 'PORT', '8040')(text).replaceAll('node2.', 'node4.'),
    );
  const next = ini(edit);

  it('has the new ring, and what counts from a start on as it was', () => {
    const held = withStartKeys(next, STARTED);
    expect(held.split('\n')[0]).toBe(
      '# As before until the programs start again: [GLOBAL] MAXCHMPX, [SVRNODE] PORT, [K2HDKC] MAXTHREAD.',
    );
    const expected = parseRole(
      ini((text) => set('REPLICA', '2')(text.replaceAll('node2.', 'node4.'))),
    );
    expect(parseRole(held)).toEqual(expected);
    expect(rollFor(held, STARTED)).toBeNull();
  });

  it('holds nothing back for a program that does not run', () => {
    const held = parseRole(withStartKeys(next, { ...STARTED, k2hdkc: null }));
    const global = set('MAXCHMPX', '256');
    const own = ofServer(CUK1, 'PORT', '8020');
    expect(held).toEqual(parseRole(ini((text) => own(global(edit(text))))));
    expect(withStartKeys(next, { chmpx: null, k2hdkc: null })).toBe(next);
  });

  it('is the new one to the letter when nothing has to wait', () => {
    const same = ini((text) => set('REPLICA', '2')(text));
    expect(withStartKeys(same, STARTED)).toBe(same);
  });

  it('has keys again that the new one leaves out', () => {
    const without = ini((text) => text.replace(/^MAXTHREAD .*$/m, ''));
    expect(parseRole(withStartKeys(without, STARTED))).toEqual(parseRole(OLD));
  });
});

describe('the size of a data file', () => {
  it('is told when it changes for a file that is there', () => {
    expect(geometryChanges(OLD, ini(ofK2hdkc('K2HPAGESIZE', '1024')))).toEqual(['K2HPAGESIZE']);
    expect(geometryChanges(OLD, ini(set('K2HMASKBIT', '6')))).toEqual([]);
    expect(geometryChanges(OLD, ini(set('K2HTYPE', 'mem')))).toEqual([]);
    expect(geometryChanges('', OLD)).toEqual([]);
  });
});
