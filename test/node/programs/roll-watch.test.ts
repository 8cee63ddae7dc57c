import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { RollWatch } from '../../../src/node/programs/roll-watch.ts';
import { parseRole } from '../../../src/ini/text/parse-role.ts';
import type { NodeIni } from '../../../src/ini/text/node-ini.ts';
import { sectionsIn } from '../../../src/ini/text/sections.ts';
import { startKeys } from '../../../src/ini/start/start-keys.ts';
import { readBootId } from '../../../src/host/boot-id.ts';
import type { RunningProgram } from '../../../src/process/launcher.ts';
import { iniOf, set } from '../../ini/roles.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { specOf } from '../../process/programs.ts';
import { IN, OUT, ringStatus } from '../builders.ts';

const ini = (key?: string, value = ''): NodeIni =>
  iniOf(key === undefined ? undefined : set(key, value));
const OLD = ini();
const DOWN = '[SERVICE OUT][DOWN][n/a][Nothing][NoSuspend]';
const SUSPENDED = '[SERVICE IN][UP][n/a][Nothing][Suspend]';

let iniFile: string;
let recorded: ReturnType<typeof recordingLog>;
let now: number;
let left: boolean;

beforeEach(async () => {
  iniFile = path.join(await temporaryDirectory(), 'k2hdkc.ini');
  await writeFile(iniFile, OLD.text);
  recorded = recordingLog();
  now = 0;
  left = false;
});

/** A chmpx that runs, with or without a note of what it has read. */
function running(readAtStart?: Record<string, string>): RunningProgram {
  const spec = specOf({ name: 'chmpx', command: 'chmpx', args: [] });
  return {
    spec: readAtStart ? { ...spec, readAtStart } : spec,
    identity: { pid: process.pid, startTicks: '1', bootId: readBootId() },
    adopted: false,
    ended: new Promise(() => undefined),
    signal: () => true,
    lastOutput: () => Promise.resolve(''),
  };
}

function watch(program: RunningProgram) {
  const chmpx: { running: RunningProgram | null } = { running: program };
  const clock = { monotonic: () => now, wall: () => now, after: () => () => undefined };
  return {
    chmpx,
    rolls: new RollWatch({ iniFile, chmpx, left: () => left, clock, log: recorded.log }),
  };
}

/** As this agent or another has remembered it: by the text of the file. */
const knows = ({ text }: NodeIni): RunningProgram => running(startKeys(sectionsIn(text)));

describe('a new ini', () => {
  it('that the programs take over as it comes is published as it is', async () => {
    const { rolls } = watch(knows(OLD));
    expect(await rolls.look(OLD, null)).toEqual({ published: true, roll: null });
    const next = ini('REPLICA', '2');
    expect(await rolls.look(next, null)).toEqual({ published: false, roll: null });
    expect(await rolls.publishable(next)).toBe(next.text);
  });

  it('with keys that count from a start on is published without them, and says so once', async () => {
    const { rolls, chmpx } = watch(knows(OLD));
    const next = ini('MAXTHREAD', '50');
    const held = await rolls.publishable(next);
    expect(held).toContain('MAXTHREAD = 20\n');
    await writeFile(iniFile, held ?? '');
    const seen = { published: true, roll: { keys: ['[K2HDKC] MAXTHREAD'] } };
    expect(await rolls.look(next, null)).toMatchObject(seen);
    expect(await rolls.look(next, null)).toMatchObject(seen);
    expect(recorded.texts).toEqual([
      'keys of the new ini count from a start on: restarting in turn',
    ]);
    chmpx.running = null;
    expect(await rolls.look(next, null)).toEqual({ published: false, roll: null });
    expect(await rolls.publishable(next)).toBe(next.text);
  });

  it('is compared with what the programs have read, not with what is on disk', async () => {
    const { rolls } = watch(knows(ini('MAXTHREAD', '50')));
    const { published, roll } = await rolls.look(OLD, null);
    expect(roll?.keys).toEqual(['[K2HDKC] MAXTHREAD']);
    expect(published).toBe(false);
    expect(await rolls.publishable(OLD)).toContain('MAXTHREAD = 50\n');
  });

  it('is compared with what is on disk for programs that somebody else has started', async () => {
    const { rolls } = watch(running());
    const { roll } = await rolls.look(ini('MAXCHMPX', '300'), null);
    expect(roll).toMatchObject({ keys: ['[GLOBAL] MAXCHMPX'] });
    await writeFile(iniFile, ini('MAXCHMPX', '300').text);
    expect((await rolls.look(ini('MAXCHMPX', '300'), null)).roll).not.toBeNull();
  });

  it('is compared by what it says, not by how it is written', async () => {
    await writeFile(iniFile, OLD.text.replaceAll('SSL = no', 'SSL=OFF'));
    const { rolls } = watch(running());
    expect(await rolls.look(OLD, null)).toEqual({ published: false, roll: null });
    const next = { ...ini('MAXTHREAD', '50'), text: 'its text' };
    expect((await rolls.look(next, null)).roll?.keys).toEqual(['[K2HDKC] MAXTHREAD']);
  });

  it('that changes only the size of a new data file restarts nothing, and says why', async () => {
    const { rolls } = watch(knows(OLD));
    const next = ini('K2HPAGESIZE', '1024');
    expect(await rolls.look(next, null)).toEqual({ published: false, roll: null });
    expect(await rolls.publishable(next)).toBe(next.text);
    expect(recorded.texts[0]).toContain('count only when a data file is made');
  });

  it('with another data file says what becomes of the old one: now, and when it counts', async () => {
    const { rolls, chmpx } = watch(knows(OLD));
    const next = ini('K2HFILE', '/data/new.k2h');
    await rolls.look(next, null);
    expect(await rolls.publishable(next)).toContain('K2HFILE = /var/lib/');
    expect(recorded.texts.splice(0)).toEqual([
      'keys of the new ini count from a start on: restarting in turn',
      'the data does not stay where it is: what no other server takes over is left behind',
    ]);
    // A crash, or a hang in the leave: the data has not moved.
    chmpx.running = null;
    expect(await rolls.publishable(next)).toContain('K2HFILE = /var/lib/');
    expect(await rolls.publishable(ini('MAXTHREAD', '50'))).toBe(ini('MAXTHREAD', '50').text);
    expect(recorded.texts).toEqual([]);
    left = true;
    expect(await rolls.publishable(next)).toBe(next.text);
    expect(recorded.texts).toEqual([
      'the data is elsewhere from this start on: nobody reads what is where it was',
    ]);
    left = false; // which a start that fails does not undo
    expect(await rolls.publishable(next)).toBe(next.text);
  });

  it('is good when it holds things back', async () => {
    const { rolls } = watch(knows(OLD));
    const held = await rolls.publishable(ini('MAXMQCLIENT', '256'));
    expect(parseRole(held ?? '')).toEqual(parseRole(OLD.text));
  });
});

it('counts the servers before this one that have not restarted yet', async () => {
  const { rolls } = watch(knows(OLD));
  const next = ini('MAXTHREAD', '50');
  const ring = (...words: string[]) => {
    const status = ringStatus(IN, ...words);
    const [self, ...others] = status.servers;
    if (!self) throw new Error('no servers');
    return { ...status, servers: [...others, self] };
  };
  const before = async (...words: string[]) =>
    (await rolls.look(next, ring(...words))).roll?.before;
  expect(await before(IN, IN)).toBe(2);
  expect(await before(OUT, OUT)).toBe(2);
  expect(await before(IN, DOWN)).toBe(1);
  expect(await before(SUSPENDED, IN)).toBe(0);
  expect(await before(IN, IN)).toBe(0);
  now = 5_000;
  expect((await rolls.look(next, ring(IN, IN))).roll?.waitedMs).toBe(5_000);
  // Another change begins from the start.
  const another = iniOf((text) => `${text}\nEXPIRE = 7\n`);
  expect((await rolls.look(another, ring(IN, IN))).roll?.before).toBe(2);
});
