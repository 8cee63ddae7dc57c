import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { walkArchiveFile, type ArchiveFacts } from '../../../src/backup/archive.ts';
import { runK2hlinetool } from '../../../src/backup/k2hlinetool.ts';
import { loadArchive } from '../../../src/backup/restore/restore-load.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { archiveOf } from '../objects.ts';
import { shellTool, standInK2hlinetool } from '../tools.ts';

const GEOMETRY = { maskBit: 4, collisionMaskBit: 4, maxElements: 8, pageSize: 128, fullMap: true };

/** An archive of 30 keys, and a node whose data is a file with something else in it. */
async function lab() {
  const directory = await temporaryDirectory();
  const data = await temporaryDirectory();
  const file = path.join(data, 'k2hdkc.k2h');
  await writeFile(file, 'the data of now');
  const archive = path.join(directory, 'backup.k2har');
  await writeFile(archive, archiveOf(30));
  const facts = await walkArchiveFile(archive);
  const standIn = await standInK2hlinetool(await temporaryDirectory());
  const load = (
    change: { command?: string; facts?: Partial<ArchiveFacts>; signal?: AbortSignal } = {},
  ): Promise<void> =>
    loadArchive({
      desk: { directory, user: null },
      command: change.command ?? standIn,
      archive: { file: archive, facts: { ...facts, ...change.facts } },
      target: { file, geometry: GEOMETRY },
      signal: change.signal ?? new AbortController().signal,
    });
  const untouched = async (): Promise<void> => {
    expect(await readdir(data)).toEqual(['k2hdkc.k2h']);
    expect(await readFile(file, 'utf8')).toBe('the data of now');
  };
  return { directory, data, file, standIn, load, untouched };
}

/** A tool that makes its file, and prints this when it is told to load. */
async function tool(output: string): Promise<string> {
  const load = `grep -q 'ar load backup.k2har' commands && echo '${output}'`;
  return shellTool(await temporaryDirectory(), 'tool', `touch new.k2h\n${load}\nexit 0`);
}

describe('an archive is loaded', () => {
  it('into a new file, which takes the place of the data of now', async () => {
    const { directory, data, file, standIn, load } = await lab();
    const before = (await stat(file)).ino;
    await load();
    expect(await readdir(data)).toEqual(['k2hdkc.k2h']);
    expect((await stat(file)).ino).not.toBe(before);
    const commands = ['info state', 'print key29'];
    const run = { command: standIn, desk: { directory, user: null }, file, commands };
    const output = await runK2hlinetool({ ...run, attach: 'read-only' });
    expect(output).toMatch(/Assigned Element += 30 /);
    expect(output).toContain('"key29" => "value of 29"');
  });

  it('into the geometry of the ini', async () => {
    const { directory, load } = await lab();
    const command = await shellTool(
      await temporaryDirectory(),
      'tool',
      `touch new.k2h; echo "$@" >> words; echo ' Assigned Element  = 30 (count)'`,
    );
    await load({ command });
    const run = `-mask 4 -cmask 4 -elementcnt 8 -pagesize 128 -fullmap -run commands`;
    const words = `-f new.k2h ${run}\n`;
    expect(await readFile(path.join(directory, 'words'), 'utf8')).toBe(words.repeat(2));
  });
});

describe('the data of now stays', () => {
  it.each([
    ['too few keys', ' Assigned Element   = 29 (count)', '30 keys, of which 29 were loaded'],
    ['too many keys', ' Assigned Element   = 31 (count)', '30 keys, of which 31 were loaded'],
    ['an answer without a number', 'bye', '30 keys, of which an unknown number were loaded'],
    ['a complaint', '[ERR] no', 'failed at "ar load backup.k2har": [ERR] no'],
  ])('after %s', async (_, output, why) => {
    const { load, untouched } = await lab();
    await expect(load({ command: await tool(output) })).rejects.toThrow(why);
    await untouched();
  });

  it('when there is no tool', async () => {
    const { load, untouched } = await lab();
    await expect(load({ command: '/no/k2hlinetool' })).rejects.toThrow('cannot be started');
    await untouched();
  });

  it.each([
    ['its bytes', { bytes: 2 ** 50 }],
    ['the pages of its records', { records: 2 ** 43 }],
  ])('when there is no space for %s: nothing is loaded then', async (_, facts) => {
    const { directory, load, untouched } = await lab();
    await expect(load({ facts })).rejects.toThrow(
      /^loading the archive needs \d+ MiB on the data volume, \d+ MiB are free/,
    );
    expect(await readFile(path.join(directory, 'commands'), 'utf8')).toBe('exit\n');
    await untouched();
  });

  it('when the restore is ended', async () => {
    const { load, untouched } = await lab();
    const ending = new AbortController();
    ending.abort(new Error('the agent stops'));
    await expect(load({ signal: ending.signal })).rejects.toThrow('the agent stops');
    await untouched();
  });
});
