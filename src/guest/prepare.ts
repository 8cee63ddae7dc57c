import type { Clock } from '../base/clock.ts';
import { AgentError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { notifyEnd, notifyExcInfo } from '../trove/conductor-messages.ts';
import { troveError } from '../trove/exceptions.ts';
import type { GuestArgs } from '../trove/handled-methods.ts';
import type { JsonObject } from '../trove/json.ts';
import { readOverrides, type ClusterParameters } from '../trove/overrides.ts';
import type { DataVolume } from '../node/data-volume.ts';
import { NEW_NODE, type DesiredState } from '../node/desired-state.ts';
import type { Markers } from './markers.ts';
import { Interrupted } from '../node/interrupted.ts';
import type { Outbox } from './report/outbox.ts';
import { serves } from '../node/plan/wants.ts';
import type { Reconciler } from '../node/reconciler.ts';
import { checkRestore, type RestoreFirst } from './restore-first.ts';

/** What prepare works with. */
export interface PrepareParts {
  instanceId: string;
  desired: () => DesiredState;
  reconciler: Pick<Reconciler, 'wish' | 'until'>;
  outbox: Pick<Outbox, 'postDurable'>;
  markers: Pick<Markers, 'prepareStarted' | 'prepareEnded'>;
  /** Of the data, as Trove's configuration has it; the device is null when there is none. */
  configuredVolume: { device: string | null; mountPoint: string };
  volume: Pick<DataVolume, 'setUp'>;
  restoreFirst: RestoreFirst;
  /** In milliseconds. */
  timeoutMs: number;
  clock: Clock;
  log: Logger;
}

/** One prepare: its arguments, whose request it is, and the request's id. */
export interface PrepareRequest {
  id: string;
  args: GuestArgs['prepare'];
  context: JsonObject;
}

/**
 * Makes this VM a node. Continued by the next agent when this one is killed in the middle; ends in
 * exactly one of two ways, each with its status and its notification:
 *
 *   building → (a backup is restored) → serving (or detached) → member: `instance ready`, notify_end, `healthy`
 *                                    → single: `healthy`, notify_end
 *   building → `failed to spawn`, notify_exc_info
 */
export async function prepare(parts: PrepareParts, request: PrepareRequest): Promise<void> {
  const { phase, clustered } = parts.desired();
  if (phase === 'prepared') {
    if (!isOurs(parts, request)) {
      throw troveError('this instance is prepared already; prepare changes nothing');
    }
    // The agent was killed between its last step and the note of it in the journal.
    if (!clustered) await notifyOfEnd(parts, request);
    return;
  }
  try {
    if (!isOurs(parts, request)) await begin(parts, request);
    else if (phase === 'failed') throw new AgentError(parts.desired().failure ?? 'failed');
    const { backup_info: backupInfo } = request.args;
    if (backupInfo !== null && parts.desired().restoring !== null) {
      await parts.restoreFirst({ backupInfo, context: request.context });
    }
    await untilReady(parts);
    await succeed(parts, request);
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    await failPreparation(parts, request, error);
    throw error;
  }
}

/** Whether this very prepare was begun already, by an agent that was killed. */
function isOurs(parts: PrepareParts, { id }: PrepareRequest): boolean {
  return parts.desired().generation === id;
}

async function begin(parts: PrepareParts, request: PrepareRequest): Promise<void> {
  const { reconciler, markers } = parts;
  const { id, args } = request;
  const { parameters, restoring } = checkRequest(request, parts.log);
  await markers.prepareStarted();
  const volume = await setUpVolume(parts, args);
  const clustered = args.cluster_config !== null;
  await reconciler.wish({
    ...NEW_NODE,
    phase: 'preparing',
    preparingSince: parts.clock.wall(),
    clustered,
    installing: clustered,
    parameters,
    restoring,
    volume,
    generation: id,
    registration: parts.desired().registration,
  });
}

/** The only time that a device may be formatted: Trove has just made it for this instance. */
async function setUpVolume(
  { volume, configuredVolume }: PrepareParts,
  { device_path: device, mount_point: directory }: GuestArgs['prepare'],
): Promise<DesiredState['volume']> {
  if (device === null) return null;
  const mountPoint = directory ?? configuredVolume.mountPoint;
  return volume.setUp({ device, mountPoint }, { mayFormat: true });
}

function checkRequest(
  { args, context }: PrepareRequest,
  log: Logger,
): Pick<DesiredState, 'parameters' | 'restoring'> {
  const parameters = readParameters(args.overrides, log);
  const { backup_info: backupInfo } = args;
  const restoring = backupInfo === null ? null : checkRestore({ backupInfo, context });
  if (restoring !== null && parameters === null) {
    throw new AgentError(
      'a backup can be restored only into a cluster: create the instance with a configuration group',
    );
  }
  return { parameters, restoring };
}

/** The configuration group that comes with prepare or rebuild; null when there is none. */
export function readParameters(
  overrides: GuestArgs['prepare']['overrides'],
  log: Logger,
): ClusterParameters | null {
  const read = readOverrides(overrides);
  for (const warning of read?.warnings ?? []) log.warn(warning);
  if (read === null) {
    log.warn('no configuration group is attached: prepared without a cluster; attach one to join');
  }
  return read?.parameters ?? null;
}

/** A port can come up, and DHCP can give it an address, within so long (ms). */
const WRONG_NETWORK_MS = 60_000;

/** Waits until the node serves, or is detached. Throws when that cannot be, or takes too long. */
export async function untilReady(parts: PrepareParts): Promise<void> {
  const { reconciler, clock, timeoutMs } = parts;
  const limit = clock.monotonic() + timeoutMs - spentMs(parts);
  await reconciler.until(({ desired, observed, step }) => {
    if (desired.parameters === null) return step.kind === 'rest';
    if (observed.memory.crashLoops) {
      throw new AgentError(`the programs do not stay up: ${observed.memory.crashReason}`);
    }
    const { networkProblem, networkProblemMs, otherCluster } = observed.memory;
    if (otherCluster !== null) throw new AgentError(otherCluster);
    if (networkProblem !== null && networkProblemMs > WRONG_NETWORK_MS) {
      throw new AgentError(networkProblem);
    }
    if (clock.monotonic() > limit) {
      throw new AgentError(`prepare was not over after ${timeoutMs / 1000} s: ${step.why}`);
    }
    return serves(desired, observed);
  });
}

/**
 * What agents before this one have spent on it: the limit is Trove's patience, which does not begin
 * anew with each of them. A clock that was set back meanwhile counts as nothing spent.
 */
function spentMs({ desired, clock }: PrepareParts): number {
  const now = clock.wall();
  return Math.max(0, now - (desired().preparingSince ?? now));
}

async function succeed(parts: PrepareParts, request: PrepareRequest): Promise<void> {
  const { desired, reconciler, markers } = parts;
  if (desired().clustered) {
    await reconciler.wish({ phase: 'ready' });
    await notifyOfEnd(parts, request);
    await reconciler.wish({ phase: 'prepared' });
  } else {
    await markers.prepareEnded();
    await reconciler.wish({ phase: 'prepared' });
    await notifyOfEnd(parts, request);
  }
}

async function notifyOfEnd(
  { outbox, instanceId }: PrepareParts,
  { id, context }: PrepareRequest,
): Promise<void> {
  const notification = notifyEnd(context, instanceId);
  if (notification) await outbox.postDurable(`${id}-end`, notification);
}

/** Ends prepare or rebuild as `failed to spawn`, with the reason for the user. */
export async function failPreparation(
  parts: PrepareParts,
  { id, context }: { id: string; context: JsonObject },
  error: unknown,
): Promise<void> {
  const { reconciler, outbox, instanceId } = parts;
  const reason = messageOf(error);
  await reconciler.wish({ phase: 'failed', failure: reason });
  const notification = notifyExcInfo(context, instanceId, reason, [reason]);
  if (notification) await outbox.postDurable(`${id}-failed`, notification);
}
