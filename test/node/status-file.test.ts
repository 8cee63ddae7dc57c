import { mkdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { StatusFile, statusFile } from '../../src/node/status-file.ts';
import { statusDocument, type StatusDocument } from '../../src/node/status-document.ts';
import { Secrets } from '../../src/base/secrets.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { STATUS_PARTS as PARTS } from './status-parts.ts';

async function bench() {
  const directory = await temporaryDirectory();
  const clock = new ManualClock();
  const secrets = new Secrets();
  const { log, texts } = recordingLog();
  const file = new StatusFile({ stateDirectory: directory, clock, secrets, log });
  const path = statusFile(directory);
  const read = async (): Promise<StatusDocument> =>
    JSON.parse(await readFile(path, 'utf8')) as StatusDocument;
  return { directory, clock, secrets, file, path, read, texts };
}

it('is written for its owner only, when something has changed, without secrets', async () => {
  const { file, path, read, secrets, clock } = await bench();
  secrets.add('job', 'hidden-password');
  file.show(statusDocument(PARTS));
  await until('the file', () => stat(path).catch(() => undefined));
  expect(await read()).toEqual(statusDocument(PARTS));
  const { ino, mode } = await stat(path);
  expect(mode & 0o777).toBe(0o600);
  await clock.advance(10_000);
  file.show(statusDocument(PARTS));
  expect((await stat(path)).ino).toBe(ino);
  file.show(statusDocument({ ...PARTS, trove: 'a hidden-password' }));
  await until('the change', async () => (await read()).trove === 'a [secret]');
});

it('ends with what was shown last, however fast', async () => {
  const { file, read } = await bench();
  for (let pid = 1; pid <= 50; pid++) {
    file.show(statusDocument({ ...PARTS, programs: { chmpx: pid, k2hdkc: null } }));
  }
  const last = async (): Promise<number | null> =>
    (await read().catch(() => undefined))?.programs.chmpx ?? null;
  await until('the last one', async () => (await last()) === 50);
});

it('ends with what was shown last on disk, and is left alone after that', async () => {
  const { file, read } = await bench();
  for (const pid of [1, 2]) {
    file.show(statusDocument({ ...PARTS, programs: { chmpx: pid, k2hdkc: null } }));
  }
  await file.end();
  expect((await read()).programs.chmpx).toBe(2);
  file.show(statusDocument(PARTS));
  await file.end();
  expect((await read()).programs.chmpx).toBe(2);
});

it('ends at once when nothing was ever shown, or the disk is gone', async () => {
  const { file } = await bench();
  await file.end();
  const { file: lost, directory, texts } = await bench();
  await rm(directory, { recursive: true });
  lost.show(statusDocument(PARTS));
  await lost.end();
  expect(texts).toEqual(['status.json cannot be written']);
});

it('gets a new time as a sign of life when nothing changes', async () => {
  const { file, path, clock } = await bench();
  file.show(statusDocument(PARTS));
  await until('the file', () => stat(path).catch(() => undefined));
  const { ino } = await stat(path);
  await utimes(path, 1, 1);
  await clock.advance(30_000);
  file.show(statusDocument(PARTS));
  await until('a new time', async () => (await stat(path)).mtimeMs === 30_000);
  expect((await stat(path)).ino).toBe(ino);
});

it('says once that it cannot be written, and comes back', async () => {
  const { file, directory, path, texts, clock } = await bench();
  await rm(directory, { recursive: true });
  for (let looks = 0; looks < 3; looks++) {
    file.show(statusDocument(PARTS));
    await clock.advance(1_000);
  }
  await until('a word about it', () => texts.length > 0);
  expect(texts).toEqual(['status.json cannot be written']);
  await mkdir(directory);
  file.show(statusDocument(PARTS));
  await until('the file', () => stat(path).catch(() => undefined));
});
