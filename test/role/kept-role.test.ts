import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { KeptRole } from '../../src/role/kept-role.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const ROLE = { of: 'a cluster', text: '[GLOBAL]\n' };
let directory: string;
let file: string;
let recorded: ReturnType<typeof recordingLog>;
let kept: KeptRole;

beforeEach(async () => {
  directory = await temporaryDirectory();
  file = path.join(directory, 'role.json');
  recorded = recordingLog();
  kept = new KeptRole(directory, recorded.log);
});

/** What the next agent finds. */
const found = () => new KeptRole(directory, recorded.log).read();
/** A folder of that name, with something in it: neither to be replaced nor to be removed. */
const block = () => mkdir(path.join(file, 'x'), { recursive: true });
const unblock = () => rm(file, { recursive: true });

describe('a role resource', () => {
  it('is there for the next agent, and for nobody else to read', async () => {
    kept.keep(ROLE);
    await kept.save();
    expect(await found()).toEqual(ROLE);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(recorded.texts).toEqual([]);
  });

  it('is not there before it is saved, and the newest one is', async () => {
    kept.keep({ ...ROLE, text: 'older' });
    expect(await found()).toBeNull();
    kept.keep(ROLE);
    await kept.save();
    expect(await found()).toEqual(ROLE);
  });

  it('that comes while another is written is not taken for written', async () => {
    kept.keep({ ...ROLE, text: 'older' });
    const saving = kept.save();
    kept.keep(ROLE);
    await saving;
    await kept.save();
    expect(await found()).toEqual(ROLE);
  });

  it('is written once', async () => {
    kept.keep(ROLE);
    await kept.save();
    await rm(file);
    await kept.save();
    expect(await readdir(directory)).toEqual([]);
  });

  it('that is forgotten is gone, also before it was saved', async () => {
    kept.keep(ROLE);
    await kept.save();
    kept.keep({ ...ROLE, text: 'newer' });
    await kept.forget();
    await kept.save();
    expect(await readdir(directory)).toEqual([]);
    await kept.forget();
    expect(recorded.texts).toEqual([]);
  });
});

describe('a file', () => {
  it.each(['', '{', 'null'])('that holds %j is of no use, and says so', async (text) => {
    await writeFile(file, text);
    expect(await found()).toBeNull();
    expect(recorded.lines).toMatchObject([
      { msg: 'the kept role document is of no use', file, level: 40 },
    ]);
  });

  it('that is not there says nothing', async () => {
    expect(await found()).toBeNull();
    expect(recorded.texts).toEqual([]);
  });
});

describe('a disk that does not write', () => {
  it('is logged once, and tried again until it does', async () => {
    await block();
    kept.keep(ROLE);
    await kept.save();
    await kept.save();
    expect(recorded.texts).toEqual(['the role document on disk stays as it was']);
    await unblock();
    await kept.save();
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(ROLE);
    expect(recorded.texts.slice(1)).toEqual(['the role document is on disk again']);
  });

  it('does not keep a role from being forgotten: nothing is written afterwards', async () => {
    await block();
    kept.keep(ROLE);
    await kept.forget();
    await unblock();
    await kept.save();
    expect(await readdir(directory)).toEqual([]);
  });
});
