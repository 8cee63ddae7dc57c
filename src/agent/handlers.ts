import type { Logger } from '../base/log.ts';
import { filesystemStats } from '../host/filesystem-stats.ts';
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
import type { Reconciler } from './reconciler.ts';
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
  /** Changes the wish, with a clean sheet for leaving and crashing. */
  const wish = async (change: Partial<DesiredState>): Promise<void> => {
    node.startAfresh();
    await reconciler.wish(change);
  };
  const untilServing = () =>
    reconciler.until(({ desired: wished, observed, step }) =>
      wished.parameters === null ? step.kind === 'rest' : serves(wished, observed),
    );
  const untilLeft = () =>
    reconciler.until(({ step, observed }) => {
      if (observed.leaveFailure !== null) {
        throw guestError(`this node cannot leave the ring: ${observed.leaveFailure}`);
      }
      return step.kind === 'rest';
    });

  return {
    rpc_ping: () => Promise.resolve(true as const),

    get_filesystem_stats: () => filesystemStats(parts.dataDirectory),

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
        await wish({ generation: call.id, stopped: null, shrinking: null });
        await untilServing();
      }),

    stop_db: ({ do_not_start_on_reboot: staysDown }, call) =>
      perform('stop_db', call, String(staysDown), async () => {
        // Trove also stops an instance whose prepare failed, before it deletes it.
        if (desired().phase === 'prepared') {
          await wish({ stopped: { bootId: staysDown ? null : parts.bootId } });
        }
        await reconciler.until(({ observed }) => isStopped(observed));
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
    await wish({ parameters, shrinking: null });
    if (desired().stopped === null) await untilServing();
  }

  /** If the data cannot move, the node stays what it was, and Trove hears why. */
  async function detach(): Promise<void> {
    const { parameters } = desired();
    await wish({ parameters: null });
    try {
      await untilLeft();
    } catch (error) {
      if (reconciler.snapshot?.observed.leaveFailure != null) await wish({ parameters });
      throw error;
    }
  }

  async function leaveForShrink(): Promise<void> {
    const rejoinAt = parts.wallClock() + parts.rejoinAfterMs;
    parts.log.warn(
      { rejoinAfterSeconds: parts.rejoinAfterMs / 1000 },
      'a second cluster_complete: Trove shrinks the cluster by this node; leaving the ring',
    );
    await wish({ shrinking: { rejoinAt } });
    try {
      await untilLeft();
    } catch (error) {
      if (reconciler.snapshot?.observed.leaveFailure != null) await wish({ shrinking: null });
      throw error;
    }
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
