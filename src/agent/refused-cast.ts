import { randomUUID } from 'node:crypto';
import { messageOf } from '../base/errors.ts';
import { notifyExcInfo } from '../trove/conductor-messages.ts';
import type { RefusedCast } from '../trove/dispatcher.ts';
import type { Outbox } from './outbox.ts';
import type { Reconciler } from './reconciler.ts';

/**
 * A cast that cannot be run (a method that is not supported, a prepare with wrong arguments) has no
 * reply: Trove is told by a notification, which shows as the instance's fault, and a prepare ends
 * as `failed to spawn`, so that nobody waits for it.
 */
export async function tellOfRefusedCast(
  { method, context, failure }: RefusedCast,
  parts: { instanceId: string; reconciler: Reconciler; outbox: Outbox },
): Promise<void> {
  const { instanceId, reconciler, outbox } = parts;
  const reason = messageOf(failure);
  if (method === 'prepare' && reconciler.snapshot?.desired.phase === 'new') {
    await reconciler.wish({ phase: 'failed', failure: reason });
  }
  const notification = notifyExcInfo(context, instanceId, reason, [reason]);
  if (notification) await outbox.postDurable(`${method}-${randomUUID()}`, notification);
}
