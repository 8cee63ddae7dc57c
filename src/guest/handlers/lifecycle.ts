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
        if (desired().installing) {
          await parts.markers.prepareEnded();
          await reconciler.wish({ installing: false, installedBy: call.id });
          parts.reporter.repeat();
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

function leaveForShrink(
  { rejoinAfterMs, wallClock, log }: HandlerParts,
  wishes: Wishes,
): Promise<void> {
  log.warn(
    { rejoinAfterSeconds: rejoinAfterMs / 1000 },
    'a second cluster_complete: Trove shrinks the cluster by this node; leaving the ring',
  );
  const rejoinAt = wallClock() + rejoinAfterMs;
  return wishes.leave({ shrinking: { rejoinAt } }, { shrinking: null });
}
