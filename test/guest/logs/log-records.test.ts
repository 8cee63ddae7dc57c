import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { LogRecords } from '../../../src/guest/logs/log-records.ts';
import { nothingPublished } from '../../../src/guest/logs/published.ts';
import { recordingLog, silentLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';

async function bench() {
  const directory = await temporaryDirectory();
  const file = path.join(directory, 'guest-logs.json');
  const reopened = (): Promise<LogRecords> => LogRecords.open(directory, silentLog);
  return { directory, file, records: await reopened(), reopened };
}
const published = (projectId: string, bytes = 5) => ({
  ...nothingPublished(projectId, 'database_logs'),
  bytes,
});

it('are there for the next agent, by log and project', async () => {
  const { records, reopened } = await bench();
  expect(records.isEnabled('chmpx')).toBe(true);
  await records.set('chmpx', published('p-1'));
  await records.set('chmpx', published('p-2', 7));
  await records.enable('chmpx', false);
  const next = await reopened();
  expect(next.published('chmpx', 'p-1')).toEqual(published('p-1'));
  expect(next.published('chmpx', 'p-2')?.bytes).toBe(7);
  expect(next.published('k2hdkc', 'p-1')).toBeUndefined();
  expect(next.isEnabled('chmpx')).toBe(false);
});

it('are of the last eight projects', async () => {
  const { records, reopened } = await bench();
  for (let n = 0; n < 10; n++) await records.set('chmpx', published(`p-${n}`));
  const next = await reopened();
  expect(next.published('chmpx', 'p-1')).toBeUndefined();
  expect(next.published('chmpx', 'p-2')).toBeDefined();
});

it('keep changes that come at the same time', async () => {
  const { records, reopened } = await bench();
  await Promise.all(['chmpx', 'k2hdkc', 'agent'].map((log) => records.set(log, published('p-1'))));
  const next = await reopened();
  for (const log of ['chmpx', 'k2hdkc', 'agent']) expect(next.published(log, 'p-1')).toBeDefined();
});

it('say nothing that is not on disk', async () => {
  const { records, directory } = await bench();
  await rm(directory, { recursive: true });
  await expect(records.set('chmpx', published('p-1'))).rejects.toThrow();
  expect(records.published('chmpx', 'p-1')).toBeUndefined();
  await mkdir(directory);
  await records.set('chmpx', published('p-1'));
  expect(records.published('chmpx', 'p-1')).toBeDefined();
});

it.each([
  ['no JSON', '{'],
  ['of another form', '{"logs":[{"name":"chmpx","enabled":true,"projects":[{"bytes":-1}]}]}'],
  ['too long', ' '.repeat(300 * 1024)],
])('that are %s are begun again, with a warning', async (_, text) => {
  const { file, directory } = await bench();
  await writeFile(file, text);
  const { log, texts } = recordingLog();
  const records = await LogRecords.open(directory, log);
  expect(texts).toEqual(['the records of guest logs are lost']);
  await records.set('chmpx', published('p-1'));
  expect(await readFile(file, 'utf8')).toContain('p-1');
});
