import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { BackupRecords } from '../../src/guest/backup-records.ts';
import { recordingLog, silentLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const COMPLETED = { state: 'COMPLETED', checksum: 'abc', location: 'http://s/c/b.gz' } as const;
const FAILED = { state: 'FAILED', reason: 'no room' } as const;
const place = (backupId: string, container = 'c') => ({
  accountUrl: 'http://s',
  container,
  backupId,
});

async function bench() {
  const directory = await temporaryDirectory();
  const records = await BackupRecords.open(directory, silentLog);
  /** What the next agent finds. */
  const reopened = (): Promise<BackupRecords> => BackupRecords.open(directory, silentLog);
  return { directory, records, reopened, file: path.join(directory, 'backups.json') };
}

describe('the backup under way', () => {
  it('is counted over the agents that begin it, and by its request', async () => {
    const { records, reopened } = await bench();
    expect(records.current).toBeNull();
    expect(await records.started('r-1')).toBe(1);
    expect(await (await reopened()).started('r-1')).toBe(2);
    expect(await (await reopened()).started('r-2')).toBe(1);
    expect((await reopened()).current).toEqual({ id: 'r-2', starts: 1, outcome: null });
  });

  it('keeps its outcome for the next agent until Trove has been told', async () => {
    const { records, reopened } = await bench();
    await records.started('r-1');
    await records.ended('r-1', COMPLETED);
    const next = await reopened();
    expect(next.current).toMatchObject({ id: 'r-1', outcome: COMPLETED });
    await next.told('b-1', COMPLETED);
    expect((await reopened()).current).toBeNull();
  });
});

describe('places in Swift', () => {
  it('are known once each, until what is there is removed', async () => {
    const { records, reopened } = await bench();
    for (const one of [place('b-1'), place('b-2'), place('b-1'), place('b-1', 'd')]) {
      await records.begun(one);
    }
    expect(records.known()).toEqual([place('b-2'), place('b-1'), place('b-1', 'd')]);
    await records.removed(place('b-1'));
    expect((await reopened()).known()).toEqual([place('b-2'), place('b-1', 'd')]);
  });

  it('of a complete backup are Trove’s, those of a failed one are still to be tidied up', async () => {
    const { records } = await bench();
    await records.begun(place('b-1'));
    await records.begun(place('b-2'));
    await records.told('b-1', FAILED);
    await records.told(null, COMPLETED);
    expect(records.known()).toEqual([place('b-1'), place('b-2')]);
    await records.told('b-1', COMPLETED);
    expect(records.known()).toEqual([place('b-2')]);
  });
});

describe('the file', () => {
  it('is for its owner only', async () => {
    const { records, file } = await bench();
    await records.started('r-1');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['is cut off', '{"current": nu'],
    ['is of another form', '{"current": {"id": 7}, "places": []}'],
    ['is empty', ''],
  ])('that %s is lost with a warning, and written again', async (_what, text) => {
    const { directory, file } = await bench();
    await writeFile(file, text);
    const { log, lines } = recordingLog();
    const records = await BackupRecords.open(directory, log);
    expect(lines).toMatchObject([{ msg: 'the records of backups are lost', file }]);
    expect([records.current, records.known()]).toEqual([null, []]);
    await records.begun(place('b-1'));
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      current: null,
      places: [place('b-1')],
    });
  });

  it('that is not there yet is no reason to warn', async () => {
    const { log, texts } = recordingLog();
    await BackupRecords.open(await temporaryDirectory(), log);
    expect(texts).toEqual([]);
  });
});
