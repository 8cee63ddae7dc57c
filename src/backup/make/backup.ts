import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { BackoffOptions, Random } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Secrets } from '../../base/secrets.ts';
import type { SystemUser } from '../../host/system-user.ts';
import type { BackupRequest } from '../backup-info.ts';
import { BufferBin } from '../buffer-bin.ts';
import type { Caller } from '../swift/caller.ts';
import { checkContainer } from '../swift/location.ts';
import type { Packing } from './members.ts';
import { openSwift } from '../swift/open-swift.ts';
import { Packer } from './packer.ts';
import { patiently, type PatienceParts } from '../swift/patience.ts';
import { removeBackup } from '../swift/remove-backup.ts';
import { takeSnapshot } from './snapshot.ts';
import type { StorageConfig } from '../swift/storage-config.ts';
import type { SwiftClient } from '../swift/swift-client.ts';
import { USUAL_LIMITS, type SwiftLimits } from '../swift/swift-limits.ts';
import { TarImage } from './tar-image.ts';
import { uploadBackup, type StoredBackup } from './upload.ts';
import { clearWorkDirectory, inWorkDirectory, type WorkPlace } from '../work-directory.ts';

/** What every backup works with. */
export interface BackupParts {
  storage: StorageConfig;
  /** Name on PATH, or path, of k2hlinetool. */
  k2hlinetool: string;
  /** The user that runs it, as chmpx and k2hdkc; null: the agent's own. */
  toolUser: SystemUser | null;
  /** Of zlib: 0 stores, 1 is fast, 9 is small. */
  level: number;
  segmentBytes: number;
  snapshotTimeoutMs: number;
  /** Swift takes and says nothing for so long: the call has failed (ms). Default 60000. */
  silenceTimeoutMs?: number;
  /** Between tries (ms). */
  pauses?: BackoffOptions;
  clock: Clock;
  random: Random;
  secrets: Secrets;
  log: Logger;
}

/** One backup. */
export interface BackupJob {
  request: BackupRequest;
  caller: Caller;
  /** The k2h file; k2hdkc may have it open. */
  dataFile: string;
  /** The folders in which it may be. */
  dataFolders: readonly string[];
  places: BackupPlaces;
  /** Ends it; what is in Swift stays, for who comes after. */
  signal: AbortSignal;
}

/** Where objects of a backup may be that Trove does not know of. */
export interface BackupPlace {
  accountUrl: string;
  container: string;
  backupId: string;
}

/** Remembers places, so that objects are removed even if their agent was killed. */
export interface BackupPlaces {
  known(): readonly BackupPlace[];
  /** Resolves when it is safe; nothing has been sent there yet. */
  begun(place: BackupPlace): Promise<void>;
  /** There is nothing any more. */
  removed(place: BackupPlace): Promise<void>;
}

/** What Trove is told. */
export interface FinishedBackup {
  checksum: string;
  location: string;
}

/** Bytes of the tar in each member: 512 KiB lose less than 1 % against one long gzip. */
const MEMBER_BYTES = 512 * 1024;
/** One of libuv's four threads is left to files and names. */
const MOST_LANES = 3;

/**
 * Backs the data up:
 *
 *   k2hlinetool → archive on disk, walked → tar → gzip, on all cores → gzip → MD5 → Swift
 *
 * Only the archive is on disk, in a directory of its own on the data volume, which is removed whatever
 * happens; memory does not grow with the data. A backup that fails leaves nothing in Swift, unless
 * Swift cannot be reached or refuses: then the next backup removes it.
 *
 * @throws AgentError with the reason for the user, SwiftError; the signal's reason.
 */
export async function makeBackup(parts: BackupParts, job: BackupJob): Promise<FinishedBackup> {
  const { request, places, signal } = job;
  await clearWorkDirectory(workPlace(parts, job));
  const { client, place } = await openPlace(parts, job);
  const { accountUrl, container } = place;
  try {
    // First of all: a token that is not valid is noticed before anything is done.
    await patiently(patienceOf(parts, signal), () => client.createContainer(container));
    await removeLeftovers(parts, job, client, place);
    const { object, checksum } = await snapshotAndSend(parts, job, client, place);
    return { checksum, location: `${accountUrl}/${container}/${object}` };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (places.known().some(({ backupId }) => backupId === request.id)) {
      await remove(parts, job, client, place).catch((err: unknown) => {
        parts.log.warn({ err, ...place }, 'a failed backup stays in Swift until the next one');
      });
    }
    throw error;
  } finally {
    client.close();
  }
}

/** Removes what agents that were killed have left of a backup. Throws as `makeBackup`. */
export async function giveUpBackup(parts: BackupParts, job: BackupJob): Promise<void> {
  await clearWorkDirectory(workPlace(parts, job));
  const { client, place } = await openPlace(parts, job);
  try {
    await removeLeftovers(parts, job, client, place);
  } finally {
    client.close();
  }
}

async function openPlace(
  parts: BackupParts,
  { request, caller, signal }: BackupJob,
): Promise<{ client: SwiftClient; place: BackupPlace }> {
  const container = request.container ?? parts.storage.container;
  checkContainer(container);
  const { client, found } = await openSwift(request, caller, { ...parts, signal });
  const { accountUrl, source } = found;
  const place = { accountUrl, container, backupId: request.id };
  parts.log.info({ ...place, source }, 'backing up');
  return { client, place };
}

async function snapshotAndSend(
  parts: BackupParts,
  job: BackupJob,
  client: SwiftClient,
  place: BackupPlace,
): Promise<StoredBackup> {
  const { clock, log } = parts;
  const { request, dataFile, places, signal } = job;
  const { container, backupId } = place;
  const started = clock.monotonic();
  const tool = { command: parts.k2hlinetool, timeoutMs: parts.snapshotTimeoutMs };
  const stored = await inWorkDirectory(workPlace(parts, job), async ({ directory, desk }) => {
    const how = { ...tool, dataFile, directory, desk, clock, signal };
    const { file, facts } = await takeSnapshot(how);
    log.info({ backupId, ...facts }, 'snapshot taken and found whole');
    await places.begun(place);
    const image = await TarImage.open(file, facts, clock.wall());
    try {
      return await uploadBackup({
        client,
        container,
        backupId,
        metadata: metadataOf(request),
        packing: packingOf(parts, image),
        segmentBytes: parts.segmentBytes,
        limits: await limitsOf(parts, client),
        patience: patienceOf(parts, signal),
      });
    } finally {
      await image.close();
    }
  });
  const seconds = ((clock.monotonic() - started) / 1000).toFixed(1);
  log.info({ backupId, ...stored, seconds }, 'backup stored');
  return stored;
}

/** Nobody waits for a Swift that does not tell its limits: most have the usual ones. */
async function limitsOf({ log }: BackupParts, client: SwiftClient): Promise<SwiftLimits> {
  try {
    return await client.limits();
  } catch (error) {
    log.info({ why: messageOf(error) }, "Swift does not tell its limits: Swift's defaults count");
    return USUAL_LIMITS;
  }
}

function workPlace(
  { toolUser: user }: BackupParts,
  { dataFile, dataFolders: within }: BackupJob,
): WorkPlace {
  return { parent: path.dirname(dataFile), within, name: '.k2hdkc-agent-backup', user };
}

function packingOf({ level }: BackupParts, image: TarImage): Packing {
  const bin = new BufferBin();
  const lanes = Math.min(availableParallelism(), MOST_LANES);
  return { image, packer: new Packer(level, bin), bin, memberBytes: MEMBER_BYTES, lanes };
}

/** As Trove's own agent writes them; they are for people, Trove does not read them. */
function metadataOf({ datastore, datastoreVersion }: BackupRequest): Record<string, string> {
  const texts = { datastore, 'datastore-version': datastoreVersion };
  return Object.fromEntries(
    Object.entries(texts).flatMap(([name, text]) =>
      text === null ? [] : [[`X-Object-Meta-${name}`, encodeURI(text)]],
    ),
  );
}

/** What earlier backups have left in this account, and what this one has if it was begun before. */
async function removeLeftovers(
  parts: BackupParts,
  job: BackupJob,
  client: SwiftClient,
  { accountUrl, backupId }: BackupPlace,
): Promise<void> {
  for (const place of job.places.known()) {
    if (place.accountUrl !== accountUrl) continue;
    parts.log.info({ ...place }, 'removing what a backup without an end has left in Swift');
    await remove(parts, job, client, place).catch((err: unknown) => {
      if (place.backupId === backupId) throw err;
      parts.log.warn({ err, ...place }, 'it stays there until the next backup');
    });
  }
}

async function remove(
  parts: BackupParts,
  { places, signal }: BackupJob,
  client: SwiftClient,
  place: BackupPlace,
): Promise<void> {
  await removeBackup(client, place, patienceOf(parts, signal));
  await places.removed(place);
}

function patienceOf(parts: BackupParts, signal: AbortSignal): PatienceParts {
  const { clock, random, log, pauses } = parts;
  return { clock, random, log, pauses, signal };
}
