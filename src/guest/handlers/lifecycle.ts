import type { GuestHandlers } from '../../trove/dispatcher.ts';
import { isStopped } from '../../node/plan/wants.ts';
import { prepare } from '../prepare.ts';
import { rebuild } from '../rebuild.ts';
import type { HandlerParts } from './parts.ts';
import type { Wishes } from './wishes.ts';

/** The methods that set the node up, start it, stop it and end its creation. */
type Lifecycle =
  'prepare' | 'rebuild' | 'cluster_complete' | 'restart' | 'start_db_with_conf_changes' | 'stop_db';

export function lifecycleHandlers(
  parts: HandlerParts,
  wishes: Wishes,
): Pick<GuestHandlers, Lifecycle> {
  const { desired, reconciler, bootId } = parts;
  return {
    prepare: (args, call) =>
      wishes.perform('prepare', call, call.id, () => {
        wishes.startOver();
        return prepare(parts.prepare, { id: call.id, args, context: call.context });
      }),

    rebuild: (args, call) =>
      wishes.perform('rebuild', call, call.id, () => {
        wishes.startOver();
        return rebuild(parts.prepare, { id: call.id, args, context: call.context });
      }),

    cluster_complete: (_, call) =>
      wishes.perform('cluster_complete', call, '', async () => {
        wishes.requirePrepared('cluster_complete');
        if (desired().installing && !isLate(parts)) {
          await parts.markers.prepareEnded();
          await reconciler.wish({ installing: false, installedBy: call.id });
        } else if (desired().installedBy === call.id) {
          // The agent was killed before the journal said that it was done.
          return;
        } else if (desired().clustered && parts.leaveOnSecondClusterComplete) {
          await leaveForShrink(parts, wishes);
        }
      }),

    restart: (_, call) =>
      wishes.perform('restart', call, '', async () => {
        wishes.requirePrepared('restart');
        const change = { generation: call.id, stopped: null, shrinking: null };
        await wishes.make(change, (snapshot) => wishes.isUp(snapshot));
      }),

    // A node that serves already (a resized VM has booted) is left alone: chmpx and k2hdkc have
    // nothing that comes from the flavor, and a restart would move data for nothing.
    start_db_with_conf_changes: (_, call) =>
      wishes.perform('start_db_with_conf_changes', call, '', async () => {
        wishes.requirePrepared('start_db_with_conf_changes');
        const change = { stopped: null, shrinking: null };
        await wishes.make(change, (snapshot) => wishes.isUp(snapshot));
      }),

    stop_db: ({ do_not_start_on_reboot: staysDown }, call) =>
      wishes.perform('stop_db', call, String(staysDown), async () => {
        const stopped = { bootId: staysDown ? null : bootId };
        // Trove also stops an instance whose prepare failed, before it deletes it.
        const change = desired().phase === 'prepared' ? { stopped } : {};
        await wishes.make(change, ({ observed }) => isStopped(observed));
      }),
  };
}

/**
 * Trove calls the first cluster_complete as soon as all members are healthy, and gives up waiting for that
 * 1800 s after it began, which was before prepare. A member that is older was given up, or reset by an
 * administrator: what comes to it now can only be a shrink.
 */
function isLate({
  desired,
  leaveOnSecondClusterComplete,
  firstCompleteWithinMs,
  wallClock,
}: HandlerParts): boolean {
  const { preparingSince } = desired();
  if (preparingSince === undefined || !leaveOnSecondClusterComplete) return false;
  return wallClock() - preparingSince > firstCompleteWithinMs;
}

function leaveForShrink(
  { desired, rejoinAfterMs, wallClock, log }: HandlerParts,
  wishes: Wishes,
): Promise<void> {
  const { installing } = desired();
  const which = installing
    ? 'a first cluster_complete that comes too late'
    : 'a second cluster_complete';
  log.warn(
    { rejoinAfterSeconds: rejoinAfterMs / 1000 },
    `${which}: Trove shrinks the cluster by this node; leaving the ring`,
  );
  const rejoinAt = wallClock() + rejoinAfterMs;
  return wishes.leave({ shrinking: { rejoinAt } }, { shrinking: null });
}
