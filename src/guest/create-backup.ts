import type { BackupParts } from '../backup/make/backup.ts';
import { parseBackupRequest } from '../backup/backup-info.ts';
import { callerOf } from '../backup/swift/caller.ts';
import { AgentError, messageOf } from '../base/errors.ts';
import { filesystemStats } from '../host/filesystem-stats.ts';
import { isObject } from '../oslo/envelope.ts';
import {
  notifyEnd,
  notifyExcInfo,
  updateBackup,
  type BackupFields,
} from '../trove/conductor-messages.ts';
import type { JsonObject } from '../trove/json.ts';
import type { BackupOutcome, BackupRecords } from './backup-records.ts';
import { Interrupted } from '../node/interrupted.ts';
import type { Outbox } from './report/outbox.ts';

/** What create_backup works with. */
export interface CreateBackupParts extends BackupParts {
  instanceId: string;
  /** The k2h file of this node. Rejects with the reason when it has none. */
  dataFile: () => Promise<string>;
  /** The folders in which that may be. */
  dataFolders: () => readonly string[];
  /** What is measured for Trove. */
  dataDirectory: string;
  records: BackupRecords;
  outbox: Pick<Outbox, 'postDurable'>;
  /** The agent ends: the next one begins the backup anew. */
  ending: AbortSignal;
}

/** One create_backup: its argument, whose request it is, and the request's id. */
export interface CreateBackupRequest {
  id: string;
  backupInfo: JsonObject | null;
  context: JsonObject;
}

/** A backup that so many agents have not survived is given up. */
const MOST_STARTS = 3;

/**
 * Backs this node up, and tells Trove: BUILDING, then exactly one of COMPLETED and FAILED, and the
 * notification; the reason of a failure is what users see as the instance's fault
 * (docs/contracts/swift.md, 2). An agent that was killed in the middle leaves it to the next one,
 * which removes what is half there and begins again.
 */
export async function createBackup(
  parts: CreateBackupParts,
  request: CreateBackupRequest,
): Promise<void> {
  const { records } = parts;
  const { current } = records;
  const earlier = current?.id === request.id ? current.outcome : null;
  const outcome = earlier ?? (await perform(parts, request));
  await records.ended(request.id, outcome);
  await tell(parts, request, outcome);
  await records.told(backupIdOf(request.backupInfo), outcome);
  if (outcome.state === 'FAILED') throw new AgentError(outcome.reason);
}

async function perform(
  parts: CreateBackupParts,
  request: CreateBackupRequest,
): Promise<BackupOutcome> {
  const { records, dataDirectory, dataFile, ending: signal } = parts;
  try {
    const starts = await records.started(request.id);
    const { used } = await filesystemStats(dataDirectory);
    if (starts === 1) await post(parts, request, { state: 'BUILDING', size: used });
    const wanted = parseBackupRequest(request.backupInfo);
    if (wanted.hasParent) {
      throw new AgentError(
        'K2HDKC has no incremental backups: create a full one, without a parent',
      );
    }
    const caller = callerOf(request.context);
    // HTTP, tar and zlib: not before they are needed, a start waits for them.
    const { giveUpBackup, makeBackup } = await import('../backup/make/backup.ts');
    const job = {
      request: wanted,
      caller,
      places: records,
      signal,
      dataFile: await dataFile(),
      dataFolders: parts.dataFolders(),
    };
    if (starts > MOST_STARTS) {
      await giveUpBackup(parts, job);
      throw new AgentError(`the agent has ended ${MOST_STARTS} times in this backup`);
    }
    const finished = await makeBackup(parts, job);
    return { state: 'COMPLETED', ...finished };
  } catch (error) {
    if (signal.aborted) throw new Interrupted();
    return { state: 'FAILED', reason: messageOf(error) };
  }
}

async function tell(
  parts: CreateBackupParts,
  request: CreateBackupRequest,
  outcome: BackupOutcome,
): Promise<void> {
  const { instanceId, outbox } = parts;
  const { id, context } = request;
  if (outcome.state === 'COMPLETED') await post(parts, request, { ...outcome, success: true });
  else await post(parts, request, { state: outcome.state, success: false });
  const notification =
    outcome.state === 'COMPLETED'
      ? notifyEnd(context, instanceId)
      : notifyExcInfo(context, instanceId, outcome.reason, [outcome.reason]);
  if (notification) await outbox.postDurable(`${id}-end`, notification);
}

async function post(
  { instanceId, outbox }: CreateBackupParts,
  { id, backupInfo, context }: CreateBackupRequest,
  fields: BackupFields & { state: string },
): Promise<void> {
  const backupId = backupIdOf(backupInfo);
  if (backupId === null) return; // the notification tells
  const all = { backup_type: 'full', ...fields } as const;
  const message = updateBackup(context, instanceId, backupId, all);
  await outbox.postDurable(`${id}-${fields.state}`, message);
}

/** Null when even that cannot be told from the argument. */
function backupIdOf(backupInfo: unknown): string | null {
  const id = isObject(backupInfo) ? backupInfo['id'] : undefined;
  return typeof id === 'string' ? id : null;
}
