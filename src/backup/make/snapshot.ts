import { stat } from 'node:fs/promises';
import path from 'node:path';
import { AgentError, codeOf } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import { walkArchiveFile, type ArchiveFacts } from '../archive.ts';
import { takeFrom, type Desk } from '../desk.ts';
import { runK2hlinetool } from '../k2hlinetool.ts';
import { requireSpace } from '../restore/restore-archive.ts';

/** How a snapshot is taken. */
export interface SnapshotOptions {
  /** Name on PATH, or path, of k2hlinetool. */
  command: string;
  /** The k2h file; k2hdkc may have it open. */
  dataFile: string;
  /** Of the agent alone, and empty, on the data volume. */
  directory: string;
  /** Below it. */
  desk: Desk;
  /** After so long the tool is killed (ms). */
  timeoutMs: number;
  clock: Clock;
  signal: AbortSignal;
}

/** All records of a k2h file in an archive that is whole and changes no more. */
export interface Snapshot {
  file: string;
  facts: ArchiveFacts;
}

const ARCHIVE = 'snapshot.k2har';
const DISK_BLOCK_BYTES = 512;

/**
 * Has k2hlinetool write an archive of the data, and walks it: the tool exits 0 whatever happens
 * (docs/contracts/archive.md, 2.1). It attaches for reading only, because it would else make a file
 * that is missing, and back up nothing.
 *
 * @throws AgentError when there is no data, no space or no time, or the tool fails; the signal's
 *   reason.
 */
export async function takeSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const { command, dataFile, directory, desk, timeoutMs, clock, signal } = options;
  await requireSpace(
    directory,
    await usedBy(dataFile),
    'a snapshot, as large as the data at most,',
  );
  const deadline = new AbortController();
  const cancel = clock.after(timeoutMs, () => deadline.abort(late(timeoutMs)));
  try {
    await runK2hlinetool({
      command,
      desk,
      file: dataFile,
      attach: 'read-only',
      commands: [`ar put ${ARCHIVE}`],
      signal: AbortSignal.any([deadline.signal, signal]),
    });
  } finally {
    cancel();
  }
  const file = path.join(directory, ARCHIVE);
  if (!(await takeFrom(desk, ARCHIVE, file))) {
    throw new AgentError(`${command} has written no archive and has not said why`);
  }
  return { file, facts: await walkArchiveFile(file) };
}

/** Bytes on disk: a k2h file can have holes. No archive is longer: it holds the same records. */
async function usedBy(dataFile: string): Promise<number> {
  const blocks = await sizeOf(dataFile);
  if (blocks !== null) return blocks * DISK_BLOCK_BYTES;
  throw new AgentError(
    `there is no data to back up: ${dataFile} does not exist, k2hdkc has not been started yet`,
  );
}

async function sizeOf(file: string): Promise<number | null> {
  try {
    return (await stat(file)).blocks;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function late(timeoutMs: number): AgentError {
  return new AgentError(
    `the snapshot was not complete after ${timeoutMs / 1000} s: see snapshot_timeout of agent.yaml`,
  );
}
