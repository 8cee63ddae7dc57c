import type { Logger } from '../../base/log.ts';
import type { GuestHandlers } from '../../trove/dispatcher.ts';
import { guestError } from '../../trove/exceptions.ts';
import { OverridesError, readOverrides, type ClusterParameters } from '../../trove/overrides.ts';
import type { HandlerParts } from './parts.ts';
import type { Wishes } from './wishes.ts';

/** The methods that attach, change and detach the configuration group. */
export function configurationHandlers(
  { desired, log }: Pick<HandlerParts, 'desired' | 'log'>,
  wishes: Wishes,
): Pick<GuestHandlers, 'update_overrides' | 'apply_overrides'> {
  /** Joins; if this node is in another cluster, it leaves that first. */
  const attach = (wanted: ClusterParameters): Promise<void> => {
    const { parameters, stopped } = desired();
    const change = { parameters: wanted, shrinking: null };
    return wishes.leave(
      change,
      { parameters },
      stopped ? () => true : (snapshot) => wishes.isUp(snapshot),
    );
  };
  const detach = (): Promise<void> => {
    const { parameters } = desired();
    return wishes.leave({ parameters: null }, { parameters });
  };

  return {
    update_overrides: ({ overrides, remove }, call) =>
      wishes.perform('update_overrides', call, JSON.stringify([overrides, remove]), async () => {
        const parameters = remove ? null : checkedParameters(overrides, log);
        wishes.requirePrepared('update_overrides');
        if (parameters) await attach(parameters);
        else if (remove) await detach();
      }),

    // update_overrides has done it already.
    apply_overrides: () => Promise.resolve(null),
  };
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
