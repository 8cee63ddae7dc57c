import { parseRestoreRequest } from '../backup/backup-info.ts';
import { callerOf } from '../backup/swift/caller.ts';
import type { RestoreParts } from '../backup/restore/restore.ts';
import { AgentError } from '../base/errors.ts';
import type { JsonObject } from '../trove/json.ts';
import { Interrupted } from '../node/interrupted.ts';
import { RESTORE_FIRST } from '../node/plan/start.ts';
import type { Reconciler } from '../node/reconciler.ts';

/** What a restore within prepare works with. */
export interface RestoreFirstParts extends RestoreParts {
  reconciler: Pick<Reconciler, 'wish' | 'until'>;
  /** The folders in which the data file may be. */
  dataFolders: () => readonly string[];
  /** For the wait until the node is registered and for the restore, in milliseconds. */
  timeoutMs: number;
  /** The agent ends: the restore is given up, and the next agent begins it anew. */
  ending: AbortSignal;
}

/** What prepare was asked for. */
export interface RestoreWish {
  /** As it came. */
  backupInfo: JsonObject;
  context: JsonObject;
}

/** Restores a backup before the programs of a new node start; see `restoreFirst`. */
export type RestoreFirst = (wish: RestoreWish) => Promise<void>;

/** The id of the backup, if the request makes sense. Throws AgentError. */
export function checkRestore({ backupInfo, context }: RestoreWish): string {
  callerOf(context);
  return parseRestoreRequest(backupInfo).id;
}

/**
 * Waits until the node has its ini, which says where the data is and how it is laid out, while the
 * plan keeps chmpx and k2hdkc from starting; then restores and lets them start. An agent that was
 * killed in the middle begins anew; one that was killed behind it does not.
 *
 * @throws AgentError with the reason for the user, when prepare is to fail; Interrupted.
 */
export async function restoreFirst(parts: RestoreFirstParts, wish: RestoreWish): Promise<void> {
  const { reconciler, clock, timeoutMs, ending } = parts;
  const request = parseRestoreRequest(wish.backupInfo);
  const limit = clock.monotonic() + timeoutMs;
  const late = new AgentError(
    `the restore of backup ${request.id} was not over after ${timeoutMs / 1000} s`,
  );
  const { observed } = await reconciler.until(({ step, observed: { memory } }) => {
    if (memory.otherCluster !== null) throw new AgentError(memory.otherCluster);
    if (clock.monotonic() > limit) throw late;
    return step === RESTORE_FIRST;
  });
  const target = observed.seen.role.k2h;
  if (target === null) {
    throw new AgentError(
      'the cluster keeps its data in memory (K2HTYPE or K2HFILE of the role): a backup cannot be restored into it',
    );
  }
  const deadline = new AbortController();
  const cancel = clock.after(limit - clock.monotonic(), () => deadline.abort(late));
  try {
    const signal = AbortSignal.any([deadline.signal, ending]);
    const { restoreBackup } = await import('../backup/restore/restore.ts');
    await restoreBackup(parts, {
      request,
      caller: callerOf(wish.context),
      target,
      signal,
      dataFolders: parts.dataFolders(),
    });
  } catch (error) {
    if (ending.aborted) throw new Interrupted();
    throw error;
  } finally {
    cancel();
  }
  await reconciler.wish({ restoring: null });
}
