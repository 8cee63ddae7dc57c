import { copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { walkArchive } from '../../../src/backup/archive.ts';
import { takeSnapshot, type SnapshotOptions } from '../../../src/backup/make/snapshot.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { WatchedClock } from '../../base/watched-clock.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { archiveOf, inPieces } from '../objects.ts';
import { shellTool } from '../tools.ts';

const ARCHIVE = archiveOf(5);

/** @param script what the tool does in the snapshot's directory; `given.k2har` is an archive. */
async function bench(script: string, change: Partial<SnapshotOptions> = {}) {
  const [directory, elsewhere] = [await temporaryDirectory(), await temporaryDirectory()];
  const dataFile = path.join(elsewhere, 'data.k2h');
  const given = path.join(elsewhere, 'given.k2har');
  await writeFile(given, ARCHIVE);
  await copyFile(given, dataFile);
  const command = await shellTool(elsewhere, 'k2hlinetool', script.replace('given.k2har', given));
  const { signal } = new AbortController();
  const desk = { directory, user: null };
  const common = {
    ...{ command, dataFile, directory, desk, timeoutMs: 60_000, clock: systemClock, signal },
  };
  return { ...common, ...change };
}

describe('a snapshot', () => {
  it('is the archive that the tool wrote, walked, and never written to again', async () => {
    const options = await bench('cp given.k2har snapshot.k2har; echo "$@" > arguments');
    const { file, facts } = await takeSnapshot(options);
    expect(await readFile(file)).toEqual(ARCHIVE);
    expect(facts).toEqual(await walkArchive(inPieces(ARCHIVE, 100)));
    expect((await stat(file)).mode & 0o777).toBe(0o400);
    // Attached for reading only: else a file that is missing would be made.
    const asked = await readFile(path.join(options.directory, 'arguments'), 'utf8');
    expect(asked).toMatch(`-f ${options.dataFile} -ro -run `);
    expect(await readFile(path.join(options.directory, 'commands'), 'utf8')).toBe(
      'ar put snapshot.k2har\nexit\n',
    );
  });

  it('of data that does not exist yet is refused before the tool runs', async () => {
    const options = await bench('exit 1', { dataFile: '/no/such/data.k2h' });
    await expect(takeSnapshot(options)).rejects.toThrow(
      'there is no data to back up: /no/such/data.k2h does not exist',
    );
  });

  it.each([
    ['writes none and exits with 0', 'exit 0', /has written no archive and has not said why$/],
    ['complains and exits with 0', "echo '[ERR] no such file'", /failed at "ar put .*no such file/],
    ['writes half a record', 'head -c 110 given.k2har > snapshot.k2har', /is damaged: record 1/],
  ])('by a tool that %s is none', async (_what, script, why) => {
    await expect(takeSnapshot(await bench(script))).rejects.toThrow(why);
  });
});

describe('a tool that hangs', () => {
  it('is killed when its time is over, and the setting is named', async () => {
    const clock = new WatchedClock();
    const taking = takeSnapshot(await bench('exec sleep 600', { clock }));
    const refusal = expect(taking).rejects.toThrow(
      'the snapshot was not complete after 60 s: see snapshot_timeout of agent.yaml',
    );
    await clock.advance(await clock.untilWaiting());
    await refusal;
    expect(clock.delays).toEqual([]);
  });

  it('is killed when the backup ends, with the reason for that', async () => {
    const ending = new AbortController();
    const clock = new WatchedClock();
    const taking = takeSnapshot(await bench('exec sleep 600', { clock, signal: ending.signal }));
    const refusal = expect(taking).rejects.toThrow('the agent ends');
    await clock.untilWaiting();
    ending.abort(new Error('the agent ends'));
    await refusal;
    expect(clock.delays).toEqual([]);
  });
});
