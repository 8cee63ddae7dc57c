import { rename, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { AgentError } from '../../base/errors.ts';
import { syncDirectory } from '../../host/atomic-file.ts';
import type { ArchiveFacts } from '../archive.ts';
import { openOn, putOnto, type Desk } from '../desk.ts';
import { runK2hlinetool, type K2hGeometry } from '../k2hlinetool.ts';
import { requireSpace } from './restore-archive.ts';

/** The file that k2hdkc keeps its data in, by the ini. */
export interface K2hTarget {
  file: string;
  geometry: K2hGeometry;
}

/** What a load works with. */
export interface LoadOptions {
  /** Name on PATH, or path, of k2hlinetool. */
  command: string;
  /** On the file system of the target. */
  desk: Desk;
  archive: { file: string; facts: ArchiveFacts };
  target: K2hTarget;
  signal: AbortSignal;
}

/** Key and value of a record each fill pages up, so that many pages are half-empty. */
const PAGES_OF_RECORD = 2;

/**
 * Loads an archive into a new k2h file, which takes the target's place when all keys are in it.
 * Into an existing file it would be merged, and the keys of now would stay
 * (docs/contracts/archive.md, 4). Nobody may have the target open.
 *
 * @throws AgentError when the tool fails, a key is missing, or there is no space; the
 *   target is as it was then.
 */
export async function loadArchive(options: LoadOptions): Promise<void> {
  const { command, desk, archive, target, signal } = options;
  const { facts } = archive;
  const name = 'new.k2h';
  const tool = { command, desk, file: name, attach: target.geometry, signal };
  await runK2hlinetool({ ...tool, commands: [] });
  const { size } = await withNew(desk, name, (handle) => handle.stat());
  await requireSpace(desk.directory, growth(size, facts, target), 'loading the archive');
  await putOnto(desk, archive.file);
  const commands = [`ar load ${path.basename(archive.file)}`, 'info state'];
  const keys = keysOf(await runK2hlinetool({ ...tool, commands }));
  if (keys !== facts.keys) {
    throw new AgentError(`the archive has ${facts.keys} keys, of which ${keys} were loaded`);
  }
  // The rename must not come to the disk before the data.
  await withNew(desk, name, (handle) => handle.sync());
  await rename(path.join(desk.directory, name), target.file);
  await syncDirectory(path.dirname(target.file));
}

/**
 * How much the new file will grow, at most. More than half of it is free pages when it is made: 4 of
 * 6 MB with pages of 128 bytes, 268 of 299 MB with 512 (seen with k2hash 1.0.99).
 */
function growth(size: number, facts: ArchiveFacts, target: K2hTarget): number {
  const pages = PAGES_OF_RECORD * target.geometry.pageSize * facts.records;
  return Math.max(0, Math.ceil(1.25 * facts.bytes) + pages - size / 2);
}

function keysOf(output: string): number | string {
  const found = /^ *Assigned Element +=  *(\d+) /m.exec(output)?.[1];
  return found === undefined ? 'an unknown number' : Number(found);
}

async function withNew<T>(
  desk: Desk,
  name: string,
  use: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  const handle = await openOn(desk, name);
  if (handle === null) throw new AgentError('the tool has made no file and has not said why');
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}
