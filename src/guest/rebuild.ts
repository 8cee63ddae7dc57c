import { AgentError } from '../base/errors.ts';
import { isBlockDevice } from '../host/mount-volume.ts';
import type { GuestArgs } from '../trove/handled-methods.ts';
import type { JsonObject } from '../trove/json.ts';
import { NEW_NODE, type DesiredState } from '../node/desired-state.ts';
import { Interrupted } from '../node/interrupted.ts';
import { failPreparation, readParameters, untilReady, type PrepareParts } from './prepare.ts';

/** One rebuild: its arguments, whose request it is, and the request's id. */
export interface RebuildRequest {
  id: string;
  args: GuestArgs['rebuild'];
  context: JsonObject;
}

/**
 * Prepares a node again after Trove has given its VM a new image: its state is gone, its data volume
 * and its place in the role are not. Trove waits for `healthy` and nothing else, so there is no
 * `instance ready`, and no notification of the end, which it never asks for:
 *
 *   building → serving → `healthy` (detached: `running`)
 *   building → `failed to spawn`
 */
export async function rebuild(parts: PrepareParts, request: RebuildRequest): Promise<void> {
  const { reconciler, markers } = parts;
  const { phase, generation } = parts.desired();
  try {
    if (generation !== request.id) await begin(parts, request);
    else if (phase === 'failed') {
      throw new AgentError(parts.desired().failure ?? 'failed');
    }
    await untilReady(parts);
    await markers.prepareEnded();
    await reconciler.wish({ phase: 'prepared' });
  } catch (error) {
    const isUntouched = phase === 'prepared' && parts.desired().generation === generation;
    // A request that makes no sense must not end a node that serves.
    if (!isUntouched && !(error instanceof Interrupted)) {
      await failPreparation(parts, request, error);
    }
    throw error;
  }
}

async function begin(parts: PrepareParts, { id, args }: RebuildRequest): Promise<void> {
  const { reconciler, markers, clock, log } = parts;
  const volume = await mountAgain(parts);
  const parameters = readParameters(args.config_overrides, log);
  const { phase, clustered, registration } = parts.desired();
  await markers.prepareStarted();
  await reconciler.wish({
    ...NEW_NODE,
    phase: 'preparing',
    preparingSince: clock.wall(),
    // Trove does not say whether this is a member of one of its clusters. It calls cluster_complete
    // for no other instance, and for a rebuilt one only to shrink its cluster.
    clustered: phase === 'new' || clustered,
    parameters,
    volume,
    generation: id,
    registration,
  });
}

/** The volume with the data is never formatted here: an empty k2hdkc would start. */
async function mountAgain({
  volume,
  configuredVolume: { device, mountPoint },
}: PrepareParts): Promise<DesiredState['volume']> {
  if (device === null || !(await isBlockDevice(device))) return null;
  return volume.setUp({ device, mountPoint }, { mayFormat: false });
}
