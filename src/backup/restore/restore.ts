import path from 'node:path';
import type { BackoffOptions, Random } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { AgentError, messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Secrets } from '../../base/secrets.ts';
import type { SystemUser } from '../../host/system-user.ts';
import type { RestoreRequest } from '../backup-info.ts';
import type { Caller } from '../swift/caller.ts';
import { openSwift } from '../swift/open-swift.ts';
import { takeArchive } from './restore-archive.ts';
import { downloadBackup } from './restore-download.ts';
import { loadArchive, type K2hTarget } from './restore-load.ts';
import type { StorageConfig } from '../swift/storage-config.ts';
import { unpack } from './unpack.ts';
import { inWorkDirectory } from '../work-directory.ts';

/** What every restore works with. */
export interface RestoreParts {
  storage: StorageConfig;
  /** Name on PATH, or path, of k2hlinetool. */
  k2hlinetool: string;
  /** The user that runs it and owns the new data; null: the agent's own. */
  toolUser: SystemUser | null;
  clock: Clock;
  random: Random;
  secrets: Secrets;
  log: Logger;
  /** Before Swift is tried again, in milliseconds; for tests. */
  pauses?: BackoffOptions;
}

/** One restore. */
export interface RestoreJob {
  request: RestoreRequest;
  caller: Caller;
  /** Nobody may have its file open. */
  target: K2hTarget;
  /** The folders in which that may be. */
  dataFolders: readonly string[];
  /** Ends it; nothing has changed then. */
  signal: AbortSignal;
}

/**
 * Makes the data of a backup the data of this node, or changes nothing:
 *
 *   Swift → MD5 → (decrypt) → gunzip → gunzip → tar → archive on disk, walked → new k2h → rename
 *
 * Only the archive and the new file are on disk, in a directory of their own on the data volume,
 * which is removed whatever happens; memory does not grow with the backup.
 *
 * @throws AgentError, which names the check that has failed; the signal's reason.
 */
export async function restoreBackup(parts: RestoreParts, job: RestoreJob): Promise<void> {
  const { clock, log } = parts;
  const { request, target, signal } = job;
  const started = clock.monotonic();
  try {
    const parent = path.dirname(target.file);
    const place = { parent, within: job.dataFolders, user: parts.toolUser };
    const name = '.k2hdkc-agent-restore';
    await inWorkDirectory({ ...place, name }, async ({ directory, desk, parent }) => {
      const archive = await fetchArchive(parts, job, directory);
      log.info({ backup: request.id, ...archive.facts }, 'backup downloaded and found whole');
      await loadArchive({
        command: parts.k2hlinetool,
        desk,
        archive,
        signal,
        target: { ...target, file: parent.at(path.basename(target.file)) },
      });
      const seconds = ((clock.monotonic() - started) / 1000).toFixed(1);
      log.info({ backup: request.id, keys: archive.facts.keys, seconds }, 'backup restored');
    });
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    const why = messageOf(cause);
    throw new AgentError(`backup ${request.id} cannot be restored: ${why}`, { cause });
  }
}

async function fetchArchive(
  parts: RestoreParts,
  { request, caller, signal }: RestoreJob,
  directory: string,
): ReturnType<typeof takeArchive> {
  const { storage, clock, random, log, pauses } = parts;
  const { client, found } = await openSwift(request, caller, { ...parts, signal });
  const { accountUrl, source } = found;
  log.info({ backup: request.id, accountUrl, source }, 'restoring a backup');
  try {
    const body = downloadBackup(client, request, { clock, random, log, signal, pauses });
    const { encrypted } = request;
    return await takeArchive(
      unpack(body, { encrypted, decryptionKey: storage.decryptionKey }),
      directory,
    );
  } finally {
    client.close();
  }
}
