import { expect, it } from 'vitest';
import { backupObject, segmentObject } from '../../../src/backup/swift/object-names.ts';
import { removeBackup } from '../../../src/backup/swift/remove-backup.ts';
import type { SwiftClient } from '../../../src/backup/swift/swift-client.ts';
import { hurriedClock } from '../../base/hurried-clock.ts';
import { silentLog } from '../../helpers/recording-log.ts';

const ID = '11111111-2222-4333-8444-555555555555';

/** A Swift whose lists say this, one after the other, and then nothing; what was deleted, in order. */
async function removedWith(...lists: string[][]): Promise<string[]> {
  const deleted: string[] = [];
  const client = {
    list: (container: string, prefix: string) => {
      expect([container, prefix]).toEqual(['backups', ID]);
      const names = lists.shift() ?? [];
      return Promise.resolve(names.map((name) => ({ name, bytes: 1, hash: '' })));
    },
    delete: (container: string, name: string) => {
      expect(container).toBe('backups');
      deleted.push(name);
      return Promise.resolve();
    },
  } as unknown as SwiftClient;
  const { signal } = new AbortController();
  const patience = { clock: hurriedClock, random: Math.random, log: silentLog, signal };
  await removeBackup(client, { container: 'backups', backupId: ID }, patience);
  return deleted;
}

const segments = (...indices: number[]): string[] => indices.map((n) => segmentObject(ID, n));

it('removes the object that names the others first, and one segment more than is listed', async () => {
  expect(await removedWith(segments(0, 1))).toEqual([
    backupObject(ID),
    ...segments(0, 1, 2),
    backupObject(ID), // what the second look asks for is gone
    ...segments(0),
  ]);
});

it('looks twice, because lists lag behind', async () => {
  const deleted = await removedWith(segments(0), segments(3));
  expect(deleted).toEqual(expect.arrayContaining(segments(0, 1, 3, 4)));
});

it('leaves what is of others alone', async () => {
  const strange = [`${ID}0_00000000`, `${ID}.txt`, 'other'];
  const deleted = await removedWith([...strange, ...segments(0)]);
  for (const name of strange) expect(deleted).not.toContain(name);
});
