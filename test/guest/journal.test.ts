import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { Journal } from '../../src/guest/journal.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const entry = (id: string) => ({ id, body: `the body of ${id}` });

async function names(state: string, kind: 'open' | 'done'): Promise<string[]> {
  return (await readdir(path.join(state, 'journal', kind))).sort();
}

it('keeps a request until it is finished', async () => {
  const state = await temporaryDirectory();
  const journal = await Journal.open(state, 'a boot');
  expect(journal.knows('a')).toBe(false);
  await journal.accept(entry('a'));
  expect(journal.knows('a')).toBe(true);
  expect(await journal.unfinished()).toMatchObject([entry('a')]);
  await journal.finish('a');
  expect(await journal.unfinished()).toEqual([]);
  expect(journal.knows('a')).toBe(true);
  expect(journal.knows('b')).toBe(false);
});

it('is for its owner alone, and forgets the body, which can hold a token', async () => {
  const state = await temporaryDirectory();
  const journal = await Journal.open(state, 'a boot');
  await journal.accept(entry('a'));
  await journal.accept(entry('b'));
  await journal.finish('a');
  const open = path.join(state, 'journal', 'open', '00000002-b');
  const done = path.join(state, 'journal', 'done', '00000001-a');
  expect(await readFile(open, 'utf8')).toBe('the body of b');
  expect(await readFile(done, 'utf8')).toBe('');
  expect((await stat(open)).mode & 0o777).toBe(0o600);
  expect((await stat(path.dirname(open))).mode & 0o777).toBe(0o700);
  expect(await names(state, 'open')).toEqual(['00000002-b']);
});

it('knows after a crash what was accepted, what is unfinished, and in which order', async () => {
  const state = await temporaryDirectory();
  const before = await Journal.open(state, 'a boot');
  for (const id of ['z', 'y', 'x', 'w']) await before.accept(entry(id));
  await before.finish('y');
  const journal = await Journal.open(state, 'a boot');
  expect(await journal.unfinished()).toMatchObject([entry('z'), entry('x'), entry('w')]);
  expect(journal.knows('y')).toBe(true);
  await journal.accept(entry('a'));
  expect((await journal.unfinished()).at(-1)).toMatchObject(entry('a'));
  expect(await names(state, 'open')).toContain('00000005-a');
});

it('takes any id, whatever it would mean as a file name', async () => {
  const state = await temporaryDirectory();
  const journal = await Journal.open(state, 'a boot');
  const ids = ['../../x', '.', '..', 'a/b', 'a b%2F', 'é\n', 'x.tmp'];
  for (const id of ids) await journal.accept(entry(id));
  const again = await Journal.open(state, 'a boot');
  expect(await again.unfinished()).toMatchObject(ids.map(entry));
  for (const id of ids) await again.finish(id);
  expect(await names(state, 'open')).toEqual([]);
  expect(await names(state, 'done')).toHaveLength(ids.length);
});

it('takes what was killed between the two halves of finish for done, and keeps no body', async () => {
  const state = await temporaryDirectory();
  const before = await Journal.open(state, 'a boot');
  await before.accept(entry('a'));
  const open = path.join(state, 'journal', 'open', '00000001-a');
  const kept = path.join(state, 'kept');
  await copyFile(open, kept);
  await before.finish('a');
  await copyFile(kept, open);

  const journal = await Journal.open(state, 'a boot');
  expect(await journal.unfinished()).toEqual([]);
  expect(journal.knows('a')).toBe(true);
  expect(await names(state, 'open')).toEqual([]);
  expect(await readFile(path.join(state, 'journal', 'done', '00000001-a'), 'utf8')).toBe('');
});

it('removes what was not written to its end, and leaves what is not its own', async () => {
  const state = await temporaryDirectory();
  await Journal.open(state, 'a boot');
  const file = (name: string): string => path.join(state, 'journal', 'open', name);
  await writeFile(file('00000001-a.0123456789ab.tmp'), 'the body');
  await writeFile(file('notes'), '');
  const journal = await Journal.open(state, 'a boot');
  expect(journal.knows('a')).toBe(false);
  expect(await names(state, 'open')).toEqual(['notes']);
});

it('forgets the oldest of very many', async () => {
  const state = await temporaryDirectory();
  const done = path.join(state, 'journal', 'done');
  await mkdir(done, { recursive: true });
  for (let n = 1; n <= 256; n++) {
    await writeFile(path.join(done, `${String(n).padStart(8, '0')}-id${n}`), '');
  }
  const journal = await Journal.open(state, 'a boot');
  expect(journal.knows('id1')).toBe(true);
  await journal.accept(entry('new'));
  await journal.finish('new');
  expect(journal.knows('id1')).toBe(false);
  expect(journal.knows('id2')).toBe(true);
  expect(journal.knows('new')).toBe(true);
  expect(await names(state, 'done')).toHaveLength(256);
});

it('does nothing about what it does not know or has finished', async () => {
  const state = await temporaryDirectory();
  const journal = await Journal.open(state, 'a boot');
  await journal.finish('a');
  await journal.accept(entry('a'));
  await Promise.all([journal.finish('a'), journal.finish('a')]);
  await journal.finish('a');
  expect(await names(state, 'done')).toEqual(['00000001-a']);
});

it('loads what is done when what is open cannot be read, and the other way round', async () => {
  for (const [broken, id] of [
    ['open', 'done'],
    ['done', 'open'],
  ] as const) {
    const state = await temporaryDirectory();
    const before = await Journal.open(state, 'a boot');
    await before.accept(entry('done'));
    await before.finish('done');
    await before.accept(entry('open'));
    // Neither a folder can be made here, nor can this be put aside.
    await rename(path.join(state, 'journal', broken), path.join(state, 'away'));
    await symlink(broken, path.join(state, 'journal', broken));
    await mkdir(path.join(state, 'journal', `${broken}.refused`, 'x'), { recursive: true });
    const troubles: unknown[] = [];
    const journal = await Journal.open(state, 'a boot', (error) => troubles.push(error));
    expect(journal.knows(id)).toBe(true);
    expect(troubles).toHaveLength(1);
  }
});

it('knows an entry of an earlier boot until its end is stored, and stores that when it can', async () => {
  const state = await temporaryDirectory();
  const done = path.join(state, 'journal', 'done');
  await (await Journal.open(state, 'a boot')).accept(entry('a'));
  const journal = await Journal.open(state, 'another boot');
  await rmdir(done);
  await writeFile(done, 'no folder');
  await expect(journal.finish('a')).rejects.toThrow();
  await expect(journal.keepBoot()).rejects.toThrow();
  await expect(journal.accept(entry('b'))).rejects.toThrow();
  const [left] = await (await Journal.open(state, 'another boot')).unfinished();
  expect(left).toMatchObject({ ...entry('a'), fromEarlierBoot: true });

  await rm(done, { recursive: true });
  await journal.accept(entry('b'));
  const next = await (await Journal.open(state, 'another boot')).unfinished();
  expect(next).toEqual([{ ...entry('b'), fromEarlierBoot: false }]);
});

it('says what was accepted before the VM was booted', async () => {
  const state = await temporaryDirectory();
  const before = await Journal.open(state, 'a boot');
  await before.accept(entry('a'));
  const [restarted] = await (await Journal.open(state, 'a boot')).unfinished();
  expect(restarted?.fromEarlierBoot).toBe(false);
  const [booted] = await (await Journal.open(state, 'another boot')).unfinished();
  expect(booted?.fromEarlierBoot).toBe(true);
});
