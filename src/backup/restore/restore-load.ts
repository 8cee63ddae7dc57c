import { open, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { AgentError } from '../../base/errors.ts';
import { syncDirectory } from '../../host/atomic-file.ts';
import type { ArchiveFacts } from '../archive.ts';
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
  /** Private, on the file system of the target. The tool has it as its own. */
  directory: string;
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
  const { command, directory, archive, target, signal } = options;
  const { facts } = archive;
  const name = 'new.k2h';
  const file = path.join(directory, name);
  const tool = { command, directory, file: name, attach: target.geometry, signal };
  await runK2hlinetool({ ...tool, commands: [] });
  await requireSpace(directory, await growth(file, facts, target), 'loading the archive');
  const commands = [`ar load ${path.basename(archive.file)}`, 'info state'];
  const keys = keysOf(await runK2hlinetool({ ...tool, commands }));
  if (keys !== facts.keys) {
    throw new AgentError(`the archive has ${facts.keys} keys, of which ${keys} were loaded`);
  }
  await sync(file);
  await rename(file, target.file);
  await syncDirectory(path.dirname(target.file));
}

/**
 * How much the new file will grow, at most. More than half of it is free pages when it is made: 4 of
 * 6 MB with pages of 128 bytes, 268 of 299 MB with 512 (seen with k2hash 1.0.99).
 */
async function growth(file: string, facts: ArchiveFacts, target: K2hTarget): Promise<number> {
  const { size } = await stat(file);
  const pages = PAGES_OF_RECORD * target.geometry.pageSize * facts.records;
  return Math.max(0, Math.ceil(1.25 * facts.bytes) + pages - size / 2);
}

function keysOf(output: string): number | string {
  const found = /^ *Assigned Element +=  *(\d+) /m.exec(output)?.[1];
  return found === undefined ? 'an unknown number' : Number(found);
}

/** The rename must not come to the disk before the data. */
async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
