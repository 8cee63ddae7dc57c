import { chmod, chown, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openAgentState } from '../../src/app/agent-state.ts';
import { ConfigurationError } from '../../src/base/errors.ts';
import { continueUnfinished } from '../../src/guest/continue-unfinished.ts';
import { Journal } from '../../src/guest/journal.ts';
import { openSentClock } from '../../src/guest/report/sent-file.ts';
import { DesiredStateStore } from '../../src/node/desired-state.ts';
import { identify } from '../../src/process/identity.ts';
import { ProcessRecords } from '../../src/process/records.ts';
import { KeptRole } from '../../src/role/kept-role.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { desiredState } from '../node/builders.ts';

describe('the journal', () => {
  async function withEntry(name: string, content: string | null) {
    const state = await temporaryDirectory();
    const file = path.join(state, 'journal/open', name);
    await mkdir(content === null ? file : path.dirname(file), { recursive: true });
    if (content !== null) await writeFile(file, content);
    const { log, lines } = recordingLog();
    const resumed: string[] = [];
    const start = async (): Promise<Journal> => {
      const journal = await Journal.open(state, 'a boot');
      const resume = (body: string): Promise<void> => {
        resumed.push(body);
        return Promise.resolve();
      };
      await continueUnfinished(journal, { resume }, log);
      return journal;
    };
    return { state, start, resumed, lines };
  }

  it.each([
    ['00000001-%E0%A4%A', '{"method":"stop_db"}'],
    ['00000001-%', '{"method":"stop_db"}'],
    [`${'9'.repeat(40)}-a`, '{"method":"stop_db"}'],
    ['00000001-a', ''],
    ['00000001-a', '\0\0\0\0'],
    ['00000001-a', 'null'],
    ['00000001-a', '{"method":7}'],
    ['00000001-a', null],
  ])(
    '%s with %j is put aside at the first start, and forgotten at the second',
    async (name, content) => {
      const { state, start, resumed, lines } = await withEntry(name, content);
      await start();
      expect(await readdir(path.join(state, 'journal/refused'))).toHaveLength(1);
      const before = lines.length;
      const journal = await start();
      expect(lines).toHaveLength(before);
      expect(resumed).toEqual([]);
      await journal.accept({ id: 'next', body: '{}' });
      expect(await readdir(path.join(state, 'journal/open'))).toHaveLength(1);
    },
  );
});

describe('desired.json', () => {
  const good = desiredState();
  const wrong: [string, unknown][] = [
    ['null', null],
    ['a list', []],
    ['a text', 'x'],
    ['another version', { ...good, version: 2 }],
    ['a phase that is none', { ...good, phase: 'done' }],
    ['a mode that is none', { ...good, mode: 'client' }],
    ['parameters as text', { ...good, parameters: 'x' }],
    [
      'parameters with a port as text',
      { ...good, parameters: { ...good.parameters, serverPort: '1' } },
    ],
    ['a registration without its token', { ...good, registration: { roleName: 'x' } }],
    ['a generation that is a number', { ...good, generation: 7 }],
    ['a volume that is true', { ...good, volume: true }],
    ['stopped as text', { ...good, stopped: 'yes' }],
    ['a time that is null', { ...good, shrinking: { rejoinAt: null } }],
  ];

  it.each(wrong)('with %s is refused by name, and stays as it is', async (_, content) => {
    const state = await temporaryDirectory();
    const file = path.join(state, 'desired.json');
    await writeFile(file, JSON.stringify(content));
    await expect(DesiredStateStore.open(state)).rejects.toThrow(`cannot use ${file}`);
    expect(await readFile(file, 'utf8')).toBe(JSON.stringify(content));
  });

  it('of an older or a newer agent is taken', async () => {
    const state = await temporaryDirectory();
    const file = path.join(state, 'desired.json');
    await writeFile(file, JSON.stringify({ version: 1, phase: 'prepared', newer: true }));
    expect((await DesiredStateStore.open(state)).current).toMatchObject({ phase: 'prepared' });
    await writeFile(file, JSON.stringify(good));
    expect((await DesiredStateStore.open(state)).current).toEqual(good);
  });
});

describe('sent', () => {
  const NOW = 2_000_000_000;

  const from = async (text: string) => {
    const file = path.join(await temporaryDirectory(), 'sent');
    await writeFile(file, text);
    const clock = Object.assign(new ManualClock(), { wall: () => NOW });
    const { log, texts } = recordingLog();
    return { next: openSentClock(file, clock, log)(), texts };
  };

  it.each([
    '1e16',
    '1e308',
    '-1e308',
    '4102444801',
    'Infinity',
    '0x7fffffffffff',
    String(NOW / 1_000 + 86_401),
    '9'.repeat(400),
    '\0\0\0\0',
  ])('of %j is not gone on from, and said once', async (text) => {
    const { next, texts } = await from(text);
    expect(next).toBe(NOW / 1_000);
    expect(texts).toEqual([
      'the time of the last message to the conductor is of no use: the clock counts',
    ]);
  });

  it('that is a day ahead of the clock is gone on from', async () => {
    const { next, texts } = await from(String(NOW / 1_000 + 86_400));
    expect(next).toBe(NOW / 1_000 + 86_400.000001);
    expect(texts).toEqual([]);
  });

  it('is not written through a link', async () => {
    const directory = await temporaryDirectory();
    await writeFile(path.join(directory, 'other'), 'mine');
    await symlink(path.join(directory, 'other'), path.join(directory, 'sent'));
    const { log } = recordingLog();
    openSentClock(path.join(directory, 'sent'), new ManualClock(), log)();
    expect(await readFile(path.join(directory, 'other'), 'utf8')).toBe('mine');
  });
});

describe('role.json', () => {
  it.each(['null', '[]', '"x"', '{}', '{"of":1,"text":"x"}', '{"of":"x","text":null}', ''])(
    'with %s is of no use, and nothing more',
    async (text) => {
      const directory = await temporaryDirectory();
      await writeFile(path.join(directory, 'role.json'), text);
      const { log, texts } = recordingLog();
      expect(await new KeptRole(directory, log).read()).toBeNull();
      expect(texts).toEqual(['the kept role document is of no use']);
    },
  );
});

describe('the record of a program', () => {
  const OWN = identify(process.pid, 'a boot');
  const good = { identity: OWN, generation: 'g', readAtStart: { MODE: 'SERVER' } };
  const read = async (record: unknown) => {
    const directory = await temporaryDirectory();
    await writeFile(path.join(directory, 'chmpx.json'), JSON.stringify(record));
    return new ProcessRecords(directory, 'a boot').read('chmpx');
  };

  it('is taken when it is whole', async () => {
    expect(await read(good)).toEqual(good);
  });

  it.each([
    ['null', null],
    ['no identity', { generation: 'g' }],
    ['a PID that is a text', { ...good, identity: { ...OWN, pid: 'self' } }],
    ['a PID that is every process', { ...good, identity: { ...OWN, pid: -1 } }],
    ['the PID of systemd', { ...good, identity: { ...OWN, pid: 1 } }],
    ['half a PID', { ...good, identity: { ...OWN, pid: process.pid + 0.5 } }],
    ['a generation that is none', { ...good, generation: 7 }],
    ['keys that are no texts', { ...good, readAtStart: { MODE: 1 } }],
  ])('with %s is none', async (_, record) => {
    expect(await read(record)).toBeNull();
  });
});

describe('the state directory', () => {
  it.each([0o720, 0o702, 0o777])('that others can write to (%o) is refused', async (mode) => {
    const directory = await temporaryDirectory();
    await chmod(directory, mode);
    const opening = openAgentState(directory);
    await expect(opening).rejects.toThrow(ConfigurationError);
    await expect(opening).rejects.toThrow('can be written to by others');
  });

  it('that others can read is closed to them', async () => {
    const directory = await temporaryDirectory();
    await chmod(directory, 0o755);
    const { unlock } = await openAgentState(directory);
    onTestFinished(unlock);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  });

  it.runIf(process.getuid?.() === 0)('of another user is refused', async () => {
    const directory = await temporaryDirectory();
    await chown(directory, 65_534, 65_534);
    await expect(openAgentState(directory)).rejects.toThrow('belongs to user 65534');
  });
});
