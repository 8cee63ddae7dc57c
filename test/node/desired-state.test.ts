import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DesiredStateStore, NEW_NODE } from '../../src/node/desired-state.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { desiredState } from './builders.ts';

describe('DesiredStateStore', () => {
  it('begins as a new node', async () => {
    const directory = await temporaryDirectory();
    const store = await DesiredStateStore.open(directory);
    expect(store.current).toEqual(NEW_NODE);
    expect(await readdir(directory)).toEqual([]);
  });

  it('keeps what it was told, for its owner alone: it holds the role token', async () => {
    const directory = await temporaryDirectory();
    const store = await DesiredStateStore.open(directory);
    await store.update(desiredState());
    await store.update({ installing: true });
    const again = await DesiredStateStore.open(directory);
    expect(again.current).toEqual(desiredState({ installing: true }));
    expect((await stat(path.join(directory, 'desired.json'))).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['desired.json']);
  });

  it('loses none of the changes that are made at once', async () => {
    const directory = await temporaryDirectory();
    const store = await DesiredStateStore.open(directory);
    await Promise.all([
      store.update({ phase: 'prepared' }),
      store.update({ clustered: true }),
      store.update({ generation: 'g1' }),
      store.update({ generation: 'g2' }),
    ]);
    const expected = { ...NEW_NODE, phase: 'prepared', clustered: true, generation: 'g2' };
    expect(store.current).toEqual(expected);
    expect((await DesiredStateStore.open(directory)).current).toEqual(expected);
  });

  it('changes, and tells, only when the change is on disk', async () => {
    const directory = await temporaryDirectory();
    const store = await DesiredStateStore.open(directory);
    const onDisk: string[] = [];
    store.onChange(() => onDisk.push(store.current.generation));
    const update = store.update({ generation: 'g1' });
    expect(store.current.generation).toBe('first');
    expect(onDisk).toEqual([]);
    await update;
    expect(onDisk).toEqual(['g1']);
    expect(await readFile(path.join(directory, 'desired.json'), 'utf8')).toContain('"g1"');
  });

  it('stays as it was when the disk refuses, and goes on when it does not any more', async () => {
    const directory = await temporaryDirectory();
    const store = await DesiredStateStore.open(directory);
    const file = path.join(directory, 'desired.json');
    await mkdir(file);
    const failing = store.update({ generation: 'g1' });
    await expect(failing).rejects.toThrow('EISDIR');
    expect(store.current).toEqual(NEW_NODE);
    await rm(file, { recursive: true });
    await store.update({ generation: 'g2' });
    expect(store.current.generation).toBe('g2');
    expect(await readdir(directory)).toEqual(['desired.json']);
  });

  it('assumes in its turn what the disk refuses: the change behind it does not undo that', async () => {
    const store = await DesiredStateStore.open(await temporaryDirectory());
    let refusals = 1;
    const refusedOnce = {
      toJSON: () => {
        if (refusals-- > 0) throw new Error('no room');
        return 'assumed';
      },
    } as unknown as string;
    const assumed = store.assume({ failure: refusedOnce });
    const updated = store.update({ generation: 'g1' });
    expect(await assumed).toMatchObject({ message: 'no room' });
    await updated;
    expect(store.current).toMatchObject({ failure: refusedOnce, generation: 'g1' });
  });

  it.each(['', '{', 'null', '[]', '7', '{"version":2}', '{"phase":"new"}'])(
    'says what to do about a file that it cannot use: %j',
    async (text) => {
      const directory = await temporaryDirectory();
      const file = path.join(directory, 'desired.json');
      await writeFile(file, text);
      await expect(DesiredStateStore.open(directory)).rejects.toThrow(
        `cannot use ${file}: restore it or, if this VM may be set up anew, move it away`,
      );
      expect(await readFile(file, 'utf8')).toBe(text);
    },
  );

  it('removes what was not written to its end', async () => {
    const directory = await temporaryDirectory();
    await writeFile(path.join(directory, 'desired.json.0123456789ab.tmp'), '{"version":');
    await DesiredStateStore.open(directory);
    expect(await readdir(directory)).toEqual([]);
  });
});
