import { describe, expect, it } from 'vitest';
import { parseRole } from '../../src/ini/parse-role.ts';
import { renderIni } from '../../src/ini/render.ts';
import {
  geometryChanges,
  placeChanges,
  rollFor,
  startKeys,
  withStartKeys,
} from '../../src/ini/start-keys.ts';
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
const STARTED = startKeys(OLD);

describe('what a new ini asks of the programs', () => {
  it.each<[string, Edit, string[]]>([
    ['nothing new', (text) => text, []],
    ['threads of k2hdkc', set('MAXTHREAD', '50'), ['[K2HDKC] MAXTHREAD']],
    ['a key that k2hdkc did not have', (text) => `${text}\nEXPIRE = 60\n`, ['[K2HDKC] EXPIRE']],
    ['what k2hdkc takes when it attaches', set('MQRWTIMEOUT', '600'), ['[GLOBAL] MQRWTIMEOUT']],
    ['the size of a new data file', ofK2hdkc('K2HMASKBIT', '16'), []],
    ['a key that k2hdkc never uses', set('K2HINIT', 'yes'), []],
    ['another data file', set('K2HFILE', '/data/new.k2h'), ['[K2HDKC] K2HFILE']],
    ['queues of chmpx', set('MAXMQCLIENT', '256'), ['[GLOBAL] MAXMQCLIENT']],
    ['the message store of chmpx', set('K2HMASKBIT', '6'), ['[GLOBAL] K2HMASKBIT']],
    ['another cluster', set('GROUP', 'another'), ['[GLOBAL] GROUP']],
    ['replicas, timeouts and threads', set('REPLICA', '2'), []],
    ['times', set('RWTIMEOUT', '20000'), []],
    ['who merges', set('AUTOMERGE', 'off'), []],
    ['the own port', ofServer(CUK1, 'PORT', '8040'), ['[SVRNODE] PORT']],
    ['the port of another server', ofServer('00000002-', 'PORT', '8040'), []],
    [
      'both programs',
      (text) => set('MAXTHREAD', '50')(set('MAXHISTLOG', '10')(text)),
      ['[GLOBAL] MAXHISTLOG', '[K2HDKC] MAXTHREAD'],
    ],
  ])('%s', (_, edit, keys) => {
    const leavesData = keys.includes('[K2HDKC] K2HFILE');
    expect(rollFor(ini(edit), STARTED)).toEqual(keys.length > 0 ? { keys, leavesData } : null);
  });

  it('is nothing of programs that do not run', () => {
    expect(rollFor(ini(set('MAXCHMPX', '300')), null)).toBeNull();
  });

  it.each([
    ['MAXTHREAD', '[K2HDKC] MAXTHREAD'],
    ['MAXCHMPX', '[GLOBAL] MAXCHMPX'],
  ])('is the end of data that is in memory only, for %s too', (key, name) => {
    const inMemory = set('K2HTYPE', 'mem');
    const next = ini((text) => set(key, '30')(inMemory(text)));
    const started = startKeys(ini(inMemory));
    expect(rollFor(next, started)).toEqual({ keys: [name], leavesData: true });
  });

  it('is nothing of k2hdkc on a slave', () => {
    const slave = (text: string): string => text.replace(/^MODE = .*$/m, 'MODE = SLAVE');
    const started = startKeys(slave(OLD));
    expect(rollFor(slave(ini(set('MAXTHREAD', '50'))), started)).toBeNull();
    expect(rollFor(slave(ini(set('MAXCHMPX', '300'))), started)).toEqual({
      keys: ['[GLOBAL] MAXCHMPX'],
      leavesData: false,
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

  it('starts nothing again for long queues, which the agent itself sets', () => {
    const next = ini(set('MAXQPERSERVERMQ', '64'));
    expect(rollFor(next, STARTED)).toBeNull();
    expect(withStartKeys(next, STARTED), 'as chmpx was started').toContain('MAXQPERSERVERMQ = 8\n');
    const slave = { ...STARTED, '[GLOBAL] MODE': 'SLAVE' };
    expect(rollFor(next, slave)?.keys, 'of a slave it sets none').toContain(
      '[GLOBAL] MAXQPERSERVERMQ',
    );
    expect(rollFor(ini(set('MAXQPERSERVERMQ', '65')), STARTED)?.keys).toEqual([
      '[GLOBAL] MAXQPERSERVERMQ',
    ]);
  });

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

  it('holds nothing back for programs that do not run', () => {
    expect(withStartKeys(next, null)).toBe(next);
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

describe('a data file', () => {
  it('is told to be another one', () => {
    expect(placeChanges(OLD, ini(set('K2HFILE', '/data/new.k2h')))).toEqual(['K2HFILE']);
    expect(placeChanges(OLD, ini(set('MAXTHREAD', '50')))).toEqual([]);
    expect(placeChanges('', OLD)).toEqual([]);
  });

  it('has a size: it is told when it changes for a file that is there', () => {
    expect(geometryChanges(OLD, ini(ofK2hdkc('K2HPAGESIZE', '1024')))).toEqual(['K2HPAGESIZE']);
    expect(geometryChanges(OLD, ini(set('K2HMASKBIT', '6')))).toEqual([]);
    expect(geometryChanges(OLD, ini(set('K2HTYPE', 'mem')))).toEqual([]);
    expect(geometryChanges('', OLD)).toEqual([]);
  });
});
