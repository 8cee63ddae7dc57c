import { messageOf } from '../base/errors.ts';
import { isObject } from '../oslo/envelope.ts';
import { notifyExcInfo, updateBackup } from '../trove/conductor-messages.ts';
import type { RefusedCast } from '../trove/dispatcher.ts';
import type { Outbox } from './report/outbox.ts';
import type { DesiredState } from '../node/desired-state.ts';
import type { Reconciler } from '../node/reconciler.ts';

/** What is needed to tell. */
export interface RefusedCastParts {
  instanceId: string;
  /** Not the reconciler's snapshot: there is none yet when the cast comes before its first look. */
  desired: () => Pick<DesiredState, 'phase'>;
  reconciler: Pick<Reconciler, 'wish'>;
  outbox: Pick<Outbox, 'postDurable'>;
}

/**
 * A cast that cannot be run (a method that is not supported, a prepare with wrong arguments) has no
 * reply. So that nobody waits for it, a prepare or rebuild of a new node ends as `failed to spawn`
 * and a backup as FAILED; and if Trove wants to be notified, the instance's fault shows why.
 */
export async function tellOfRefusedCast(
  { id, method, args, context, failure }: RefusedCast,
  { instanceId, desired, reconciler, outbox }: RefusedCastParts,
): Promise<void> {
  const reason = messageOf(failure);
  const isSetUp = method === 'prepare' || method === 'rebuild';
  if (isSetUp && desired().phase === 'new') {
    await reconciler.wish({ phase: 'failed', failure: reason });
  }
  const backup = method === 'create_backup' ? backupId(args['backup_info']) : null;
  if (backup !== null) {
    const message = updateBackup(context, instanceId, backup, { state: 'FAILED' });
    await outbox.postDurable(`${id}-state`, message);
  }
  const notification = notifyExcInfo(context, instanceId, reason, [reason]);
  if (notification) await outbox.postDurable(`${id}-refused`, notification);
}

/** Null when even that cannot be told from the arguments, which nobody has checked. */
function backupId(info: unknown): string | null {
  const id = isObject(info) ? info['id'] : undefined;
  return typeof id === 'string' ? id : null;
}
