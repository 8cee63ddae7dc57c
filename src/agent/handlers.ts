import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { filesystemStats, type FilesystemStats } from '../host/filesystem-stats.ts';
import type { GuestCall, GuestHandlers } from '../trove/dispatcher.ts';
import { guestError, troveError } from '../trove/exceptions.ts';
import { HANDLED_METHODS, type HandledMethod } from '../trove/handled-methods.ts';
import { OverridesError, readOverrides, type ClusterParameters } from '../trove/overrides.ts';
import type { ClusterNode } from './cluster-node.ts';
import type { DesiredState } from './desired-state.ts';
import type { Markers } from './markers.ts';
import type { Operations } from './operations.ts';
import { isStopped, serves } from './plan.ts';
import { prepare, type PrepareParts } from './prepare.ts';
import type { Reconciler, Snapshot } from './reconciler.ts';
import type { Reporter } from './reporter.ts';

/** What the methods of the guest API work with. */
export interface HandlerParts {
  desired: () => DesiredState;
  operations: Operations;
  reconciler: Reconciler;
  reporter: Reporter;
  node: ClusterNode;
  markers: Markers;
  prepare: PrepareParts;
  dataDirectory: string;
  bootId: string;
  /** Answers come so long before Trove's own time limit (ms). */
  replyMarginMs: number;
  leaveOnSecondClusterComplete: boolean;
  rejoinAfterMs: number;
  wallClock: () => number;
  log: Logger;
}

/**
 * The guest API: each method changes what this VM should be and waits for the reconciler. What the
 * calls mean here is in docs/trove-calls.md.
 */
export function guestHandlers(parts: HandlerParts): GuestHandlers {
  const { desired, reconciler, node, operations } = parts;

  const perform = <T>(
    name: HandledMethod,
    call: GuestCall,
    key: string,
    work: () => Promise<T>,
  ) => {
    const { timeoutSeconds } = HANDLED_METHODS[name];
    return operations.perform({
      name,
      key: `${name} ${key}`,
      entry: { id: call.id, body: call.body },
      accepted: call.accepted,
      limitMs: timeoutSeconds === null ? null : timeoutSeconds * 1000 - parts.replyMarginMs,
      work,
    });
  };
  let newest = Symbol('wish');
  /**
   * Changes what this VM should be, with a clean sheet for leaving and crashing, and waits until it
   * is so. A later request ends the waiting: what was asked for then is no longer wanted.
   */
  const make = async (
    change: Partial<DesiredState>,
    isSo: (snapshot: Snapshot) => boolean,
  ): Promise<Snapshot> => {
    const wish = Symbol('wish');
    newest = wish;
    node.startAfresh();
    await reconciler.wish(change);
    return reconciler.until((snapshot) => {
      if (newest !== wish) throw guestError('a later request has taken its place');
      return isSo(snapshot);
    });
  };

  return {
    rpc_ping: () => Promise.resolve(true as const),

    get_filesystem_stats: () => measured(parts.dataDirectory),

    prepare: (args, call) =>
      perform('prepare', call, call.id, () =>
        prepare(parts.prepare, { id: call.id, args, context: call.context }),
      ),

    cluster_complete: (_, call) =>
      perform('cluster_complete', call, '', async () => {
        requirePrepared(desired(), 'cluster_complete');
        if (desired().installing) {
          await parts.markers.prepareEnded();
          await reconciler.wish({ installing: false });
          parts.reporter.repeat();
        } else if (desired().clustered && parts.leaveOnSecondClusterComplete) {
          await leaveForShrink();
        }
      }),

    restart: (_, call) =>
      perform('restart', call, '', async () => {
        requirePrepared(desired(), 'restart');
        await make({ generation: call.id, stopped: null, shrinking: null }, isUp);
      }),

    stop_db: ({ do_not_start_on_reboot: staysDown }, call) =>
      perform('stop_db', call, String(staysDown), async () => {
        const stopped = { bootId: staysDown ? null : parts.bootId };
        // Trove also stops an instance whose prepare failed, before it deletes it.
        const change = desired().phase === 'prepared' ? { stopped } : {};
        await make(change, ({ observed }) => isStopped(observed));
      }),

    update_overrides: ({ overrides, remove }, call) =>
      perform('update_overrides', call, JSON.stringify([overrides, remove]), async () => {
        const parameters = remove ? null : checkedParameters(overrides, parts.log);
        requirePrepared(desired(), 'update_overrides');
        if (parameters) await attach(parameters);
        else if (remove) await detach();
      }),

    // update_overrides has done it already.
    apply_overrides: () => Promise.resolve(null),
  };

  async function attach(parameters: ClusterParameters): Promise<void> {
    const { stopped } = desired();
    await make({ parameters, shrinking: null }, stopped ? () => true : isUp);
  }

  function detach(): Promise<void> {
    const { parameters } = desired();
    return leave({ parameters: null }, { parameters });
  }

  function leaveForShrink(): Promise<void> {
    const { rejoinAfterMs, wallClock, log } = parts;
    log.warn(
      { rejoinAfterSeconds: rejoinAfterMs / 1000 },
      'a second cluster_complete: Trove shrinks the cluster by this node; leaving the ring',
    );
    return leave({ shrinking: { rejoinAt: wallClock() + rejoinAfterMs } }, { shrinking: null });
  }

  /** Leaves the ring. If the data cannot move, the node stays what it was, and Trove hears why. */
  async function leave(change: Partial<DesiredState>, undo: Partial<DesiredState>): Promise<void> {
    const { observed } = await make(
      change,
      (snapshot) => snapshot.observed.leaveFailure !== null || hasLeft(snapshot),
    );
    if (observed.leaveFailure === null) return;
    await make(undo, () => true);
    throw guestError(`this node cannot leave the ring: ${observed.leaveFailure}`);
  }
}

/** In service, or with nothing to serve. */
function isUp({ desired, observed, step }: Snapshot): boolean {
  return desired.parameters === null ? step.kind === 'rest' : serves(desired, observed);
}

/** Stopped, and unregistered if K2HR3 could be reached; if not, that is tried on and on. */
function hasLeft({ observed, step }: Snapshot): boolean {
  return isStopped(observed) && step.kind !== 'do';
}

async function measured(directory: string): Promise<FilesystemStats> {
  try {
    return await filesystemStats(directory);
  } catch (error) {
    throw troveError(`the data directory ${directory} cannot be measured: ${messageOf(error)}`);
  }
}

function checkedParameters(
  overrides: Record<string, unknown> | null,
  log: Logger,
): ClusterParameters | null {
  try {
    const read = readOverrides(overrides);
    for (const warning of read?.warnings ?? []) log.warn(warning);
    return read?.parameters ?? null;
  } catch (error) {
    throw error instanceof OverridesError ? guestError(error.message) : error;
  }
}

function requirePrepared({ phase, failure }: DesiredState, method: string): void {
  if (phase === 'prepared') return;
  const why =
    phase === 'failed' ? `prepare failed: ${failure ?? 'unknown'}` : 'prepare is not over yet';
  throw troveError(`${method} is not possible on this instance: ${why}`);
}
