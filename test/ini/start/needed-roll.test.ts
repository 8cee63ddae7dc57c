import { describe, expect, it } from 'vitest';
import type { ClusterModel } from '../../../src/ini/model/model.ts';
import { rollFor, unmoved } from '../../../src/ini/start/needed-roll.ts';
import { sectionsOf } from '../../../src/ini/text/sections.ts';
import { startKeys, type StartKeys } from '../../../src/ini/start/start-keys.ts';
import { CUK1, iniOf, set, setBelow, type Edit } from '../roles.ts';

const model = (edit?: Edit): ClusterModel => iniOf(edit).model;
const started = (edit?: Edit): StartKeys => startKeys(sectionsOf(model(edit)));
const STARTED = started();

describe('what a new ini asks of the programs', () => {
  it.each<[string, Edit, string[]]>([
    ['nothing new', (text) => text, []],
    ['threads of k2hdkc', set('MAXTHREAD', '50'), ['[K2HDKC] MAXTHREAD']],
    ['a key that k2hdkc did not have', (text) => `${text}\nEXPIRE = 60\n`, ['[K2HDKC] EXPIRE']],
    [
      'a key that k2hdkc had',
      (text) => text.replace(/^MAXTHREAD .*$/m, ''),
      ['[K2HDKC] MAXTHREAD'],
    ],
    ['what k2hdkc takes when it attaches', set('MQRWTIMEOUT', '600'), ['[GLOBAL] MQRWTIMEOUT']],
    ['the size of a new data file', setBelow('[K2HDKC]', 'K2HMASKBIT', '16'), []],
    ['a key that k2hdkc never uses', set('K2HINIT', 'yes'), []],
    ['another data file', set('K2HFILE', '/data/new.k2h'), ['[K2HDKC] K2HFILE']],
    ['queues of chmpx', set('MAXMQCLIENT', '256'), ['[GLOBAL] MAXMQCLIENT']],
    ['the message store of chmpx', set('K2HMASKBIT', '6'), ['[GLOBAL] K2HMASKBIT']],
    ['another cluster', set('GROUP', 'another'), ['[GLOBAL] GROUP']],
    ['replicas, timeouts and threads', set('REPLICA', '2'), []],
    ['times', set('RWTIMEOUT', '20000'), []],
    ['who merges', set('AUTOMERGE', 'off'), []],
    ['the own port', setBelow(CUK1, 'PORT', '8040'), ['[SVRNODE] PORT']],
    ['the port of another server', setBelow('00000002-', 'PORT', '8040'), []],
    [
      'both programs',
      (text) => set('MAXTHREAD', '50')(set('MAXHISTLOG', '10')(text)),
      ['[GLOBAL] MAXHISTLOG', '[K2HDKC] MAXTHREAD'],
    ],
  ])('%s', (_, edit, keys) => {
    const leavesData = keys.includes('[K2HDKC] K2HFILE');
    expect(rollFor(model(edit), STARTED)).toEqual(keys.length > 0 ? { keys, leavesData } : null);
  });

  it('is nothing of programs that do not run', () => {
    expect(rollFor(model(set('MAXCHMPX', '300')), null)).toBeNull();
  });

  it.each([
    ['MAXTHREAD', '[K2HDKC] MAXTHREAD'],
    ['MAXCHMPX', '[GLOBAL] MAXCHMPX'],
  ])('is the end of data that is in memory only, for %s too', (key, name) => {
    const inMemory = set('K2HTYPE', 'mem');
    const next = model((text) => set(key, '30')(inMemory(text)));
    expect(rollFor(next, started(inMemory))).toEqual({ keys: [name], leavesData: true });
  });

  it('is nothing of k2hdkc on a slave', () => {
    const slave = set('MODE', 'SLAVE');
    const next = (key: string, value: string): ClusterModel =>
      model((text) => slave(set(key, value)(text)));
    expect(rollFor(next('MAXTHREAD', '50'), started(slave))).toBeNull();
    expect(rollFor(next('MAXCHMPX', '300'), started(slave))).toEqual({
      keys: ['[GLOBAL] MAXCHMPX'],
      leavesData: false,
    });
  });

  it('is nothing for long queues, which the agent itself sets on a server', () => {
    const long = model(set('MAXQPERSERVERMQ', '64'));
    const keys = ['[GLOBAL] MAXQPERSERVERMQ'];
    expect(rollFor(long, STARTED)).toBeNull();
    expect(rollFor(model(set('MAXQPERSERVERMQ', '65')), STARTED)?.keys).toEqual(keys);
    const slave = { ...STARTED, '[GLOBAL] MODE': 'SLAVE' };
    expect(rollFor(long, slave)?.keys, 'of a slave it sets none').toEqual(
      expect.arrayContaining(keys),
    );
  });
});

it('is all of a new ini but where the data is, while the data has not moved', () => {
  const edit: Edit = (text) => set('MAXTHREAD', '50')(set('K2HFILE', '/data/new.k2h')(text));
  expect(unmoved(model(edit), STARTED)).toEqual(started(set('MAXTHREAD', '50')));
});
