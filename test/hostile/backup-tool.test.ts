import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { walkArchiveFile } from '../../src/backup/archive.ts';
import { takeFrom } from '../../src/backup/desk.ts';
import { takeSnapshot } from '../../src/backup/make/snapshot.ts';
import { loadArchive } from '../../src/backup/restore/restore-load.ts';
import { inWorkDirectory, type Work } from '../../src/backup/work-directory.ts';
import { systemClock } from '../../src/base/clock.ts';
import { archiveOf } from '../backup/objects.ts';
import { shellTool } from '../backup/tools.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

/** The user of the programs, as who the tool runs. */
const USER = { name: 'k2hdkc', uid: 990, gid: 991 };
const GEOMETRY = { maskBit: 4, collisionMaskBit: 4, maxElements: 8, pageSize: 128, fullMap: true };
const LOADED = "touch new.k2h; echo ' Assigned Element  = 3 (count)'";

/** A VM on which a bug in the tool is that user's to use. @param script what the tool does. */
async function vm(script: string) {
  const directory = await temporaryDirectory();
  await chmod(directory, 0o755);
  const at = (name: string): string => path.join(directory, name);
  await mkdir(at('data'));
  await writeFile(at('data/k2hdkc.k2h'), 'the data of now');
  await chown(at('data'), USER.uid, USER.gid);
  await chown(at('data/k2hdkc.k2h'), USER.uid, USER.gid);
  await mkdir(at('root-only'), { mode: 0o700 });
  await writeFile(at('root-only/secret'), 'of root', { mode: 0o600 });
  await writeFile(at('given'), archiveOf(3));
  const command = await shellTool(directory, 'tool', script.replaceAll('VM', directory));
  await chmod(command, 0o755);
  const { signal } = new AbortController();
  const dataFile = at('data/k2hdkc.k2h');
  const place = { parent: at('data'), within: [at('data')], name: '.work', user: USER };
  const limits = { timeoutMs: 60_000, clock: systemClock, signal };
  const snapshot = (work: Work) => takeSnapshot({ command, dataFile, ...work, ...limits });
  const load = async ({ directory: own, desk, parent }: Work): Promise<void> => {
    const file = path.join(own, 'backup.k2har');
    await writeFile(file, archiveOf(3), { mode: 0o600 });
    const archive = { file, facts: await walkArchiveFile(file) };
    const target = { file: parent.at('k2hdkc.k2h'), geometry: GEOMETRY };
    await loadArchive({ command, desk, archive, target, signal });
  };
  const untouched = async (): Promise<void> => {
    expect(await readdir(at('data'))).toEqual(['k2hdkc.k2h']);
    expect(await readFile(dataFile, 'utf8')).toBe('the data of now');
    expect(await readFile(at('root-only/secret'), 'utf8')).toBe('of root');
    expect(await lstat(at('root-only/secret'))).toMatchObject({ uid: 0, mode: 0o100_600 });
  };
  return { at, place, snapshot, load, untouched };
}

describe.runIf(process.getuid?.() === 0)('k2hlinetool of a node with programs.user', () => {
  it('runs as that user, who cannot enter more than its own folder', async () => {
    const { place, snapshot, untouched } = await vm(
      'id -u > who; id -G >> who; (cat VM/root-only/secret || ls ..) > stolen 2>&1; cp VM/given snapshot.k2har',
    );
    await inWorkDirectory(place, async (work) => {
      const { file, facts } = await snapshot(work);
      expect(await readFile(path.join(work.desk.directory, 'who'), 'utf8')).toBe('990\n991\n');
      const stolen = await readFile(path.join(work.desk.directory, 'stolen'), 'utf8');
      expect(stolen).toMatch(/secret: Permission denied\n.*: Permission denied\n$/);
      // What is sent is what was walked: the user has it no longer.
      expect(await lstat(file)).toMatchObject({ uid: 0, gid: 0, mode: 0o100_400 });
      expect(path.dirname(file)).toBe(work.directory);
      expect(facts.records).toBe(3);
    });
    await untouched();
  });

  it('makes the new data as that user', async () => {
    const { at, place, load } = await vm(LOADED);
    await inWorkDirectory(place, load);
    expect(await lstat(at('data/k2hdkc.k2h'))).toMatchObject({ uid: USER.uid, size: 0 });
    expect(await readdir(at('data'))).toEqual(['k2hdkc.k2h']);
  });

  it.each([
    ['a link', 'ln -s VM/root-only/secret snapshot.k2har'],
    ['a pipe', 'mkfifo snapshot.k2har'],
    ['a folder', 'mkdir snapshot.k2har'],
    ['one of two names', 'cp VM/given snapshot.k2har; ln snapshot.k2har other'],
  ])('that has made %s is believed nothing', async (_, script) => {
    const { place, snapshot, untouched } = await vm(script);
    await expect(inWorkDirectory(place, snapshot)).rejects.toThrow('is no plain file');
    await untouched();
  });

  it.each([
    ['a link', `${LOADED}; rm new.k2h; ln -s VM/root-only/secret new.k2h`],
    ['a pipe', `${LOADED}; rm new.k2h; mkfifo new.k2h`],
  ])('that has made %s of the new data changes nothing', async (_, script) => {
    const { place, load, untouched } = await vm(script);
    await expect(inWorkDirectory(place, load)).rejects.toThrow('is no plain file');
    await untouched();
  });

  it('is told what to do by a file, whatever has its name', async () => {
    const { at, place, load } = await vm(
      `rm commands; ln -s VM/root-only/secret commands; ${LOADED}`,
    );
    await inWorkDirectory(place, load);
    expect(await readFile(at('root-only/secret'), 'utf8')).toBe('of root');
  });

  it('that gives its name to a link while it is taken is believed nothing', async () => {
    const { at, place, untouched } = await vm('');
    await inWorkDirectory(place, async ({ directory, desk }) => {
      const made = path.join(desk.directory, 'made');
      const taken = path.join(directory, 'taken');
      const swap = async (): Promise<void> => {
        await rename(made, `${made}.away`);
        await symlink(at('root-only/secret'), made);
      };
      // Somewhere between the first look and the last.
      for (let turns = 0; turns < 40; turns++) {
        for (const name of ['made', 'made.away'])
          await rm(path.join(desk.directory, name), { force: true });
        await writeFile(made, 'x');
        const taking = takeFrom(desk, 'made', taken).catch(() => undefined);
        for (let n = 0; n < turns; n++) await new Promise(setImmediate);
        await swap().catch(() => undefined);
        await taking;
        const there = await lstat(taken).catch(() => null);
        expect(there?.isSymbolicLink() ?? false).toBe(false);
        await rm(taken, { force: true });
      }
    });
    await untouched();
  });

  it('that has opened its folder to everybody has it closed before it is emptied', async () => {
    const { at, place, snapshot } = await vm('cp VM/given snapshot.k2har; chmod 777 .; mkdir x');
    const holding = await inWorkDirectory(place, async (work) => {
      await snapshot(work);
      return open(work.desk.directory);
    });
    // Whoever still holds it can add nothing: it is root's, and it is gone.
    expect((await holding.stat()).mode & 0o777).toBe(0o700);
    expect((await holding.stat()).uid).toBe(0);
    await holding.close();
    expect(await readdir(at('data'))).toEqual(['k2hdkc.k2h']);
  });

  it('whose folder holds another one has it left alone, by name', async () => {
    const { at, place, snapshot } = await vm(
      'cp VM/given snapshot.k2har; mkdir x; ln -s VM/root-only x/y',
    );
    await expect(inWorkDirectory(place, snapshot)).rejects.toThrow('holds a folder');
    await link(at('given'), at('root-only/more'));
    await expect(inWorkDirectory(place, snapshot)).rejects.toThrow('holds a folder');
    expect(await readdir(at('root-only'))).toEqual(['more', 'secret']);
    expect(await readdir(at('data/.work/desk/x'))).toEqual(['y']);
  });
});
