import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readInstanceId } from '../../src/app/node/instance-id.ts';
import { BackupRecords } from '../../src/guest/backup-records.ts';
import { Journal } from '../../src/guest/journal.ts';
import { OutboxFiles } from '../../src/guest/report/outbox-file.ts';
import { openSentClock } from '../../src/guest/report/sent-file.ts';
import { SecondTries } from '../../src/guest/second-tries.ts';
import { SeenContexts } from '../../src/guest/seen-contexts.ts';
import { publishIni } from '../../src/ini/text/publish.ts';
import { DesiredStateStore } from '../../src/node/desired-state.ts';
import { OutputFile } from '../../src/process/output-file.ts';
import { ProcessRecords } from '../../src/process/records.ts';
import { LeaveRecord } from '../../src/ring/change/leave-record.ts';
import { IDLE } from '../../src/ring/change/leave.ts';
import { RingMembers } from '../../src/ring/ring-members.ts';
import { KeptRole } from '../../src/role/kept-role.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { silentLog as log } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { OBSTACLES } from '../host/obstacles.ts';

const clock = new ManualClock();

/** What reads a file of the state directory (or beside it), and what it makes of one that is none. */
const READERS: [name: string, read: (state: string) => unknown, expected: unknown][] = [
  ['role.json', (state) => new KeptRole(state, log).read(), null],
  ['ring.json', (stateDirectory) => new RingMembers({ stateDirectory, log }).read(), undefined],
  [
    'leave.json',
    (stateDirectory) =>
      new LeaveRecord({ stateDirectory, limits: { stop: 1, good: 1 }, clock, log }).read(),
    IDLE,
  ],
  ['backups.json', async (state) => (await BackupRecords.open(state, log)).known(), []],
  ['chmpx.json', (state) => new ProcessRecords(state, 'a boot').read('chmpx'), null],
  [
    'instance-id',
    (state) => readInstanceId(path.join(state, 'instance-id'), 'registered'),
    'registered',
  ],
  ['sent', (state) => openSentClock(path.join(state, 'sent'), new ManualClock(), log)() > 0, true],
  ['contexts', (state) => new SeenContexts(state).isOfAnother('x', 'y'), false],
  ['second-tries', (state) => new SecondTries(state).begin(Buffer.from('x')), true],
  [
    'chmpx.out',
    async (state) => {
      const output = new OutputFile(path.join(state, 'chmpx.out'));
      await output.rotate();
      const handle = await output.open();
      await handle.write('a line\n').finally(() => handle.close());
      return /^(a line)?$/.test(await output.lastLines());
    },
    true,
  ],
  ['journal/boot', async (state) => (await Journal.open(state, 'a boot')).unfinished(), []],
  [
    'journal/open/00000001-a',
    async (state) => {
      const unfinished = await (await Journal.open(state, 'a boot')).unfinished();
      return [...unfinished, await readdir(path.join(state, 'journal/refused'))];
    },
    [['open-00000001-a']],
  ],
  [
    'outbox/00000001-a.json',
    async (state) => {
      const ignore = (): void => undefined;
      const kept = await new OutboxFiles(state).load(ignore, ignore);
      return [...kept, await readdir(path.join(state, 'outbox/refused'))];
    },
    [['00000001-a.json']],
  ],
];

describe.each(OBSTACLES)('%s', (what, make) => {
  it.each(READERS)('in the place of %s holds up nothing', async (name, read, expected) => {
    const state = await temporaryDirectory();
    await mkdir(path.dirname(path.join(state, name)), { recursive: true });
    await make(path.join(state, name));
    expect(await read(state)).toEqual(expected);
  });

  it('in the place of desired.json is refused by name', async () => {
    const state = await temporaryDirectory();
    await make(path.join(state, 'desired.json'));
    await expect(DesiredStateStore.open(state)).rejects.toThrow(path.join(state, 'desired.json'));
  });

  it.skipIf(what === 'a folder')('in the place of the ini is replaced', async () => {
    const file = path.join(await temporaryDirectory(), 'k2hdkc.ini');
    await make(file);
    expect(await publishIni(file, 'text')).toBe(true);
    expect(await publishIni(file, 'text')).toBe(false);
  });
});
