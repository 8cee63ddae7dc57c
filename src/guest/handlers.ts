import type { GuestHandlers } from '../trove/dispatcher.ts';
import { backupHandlers } from './handlers/backups.ts';
import { configurationHandlers } from './handlers/configuration.ts';
import { figureHandlers } from './handlers/figures.ts';
import { lifecycleHandlers } from './handlers/lifecycle.ts';
import { logHandlers } from './handlers/logs.ts';
import type { HandlerParts } from './handlers/parts.ts';
import { Wishes } from './handlers/wishes.ts';

/**
 * The guest API: each method changes what this VM should be and waits for the reconciler. What the
 * calls mean here is in docs/trove-calls.md.
 */
export function guestHandlers(parts: HandlerParts): GuestHandlers {
  const wishes = new Wishes(parts);
  return {
    ...figureHandlers(parts),
    ...lifecycleHandlers(parts, wishes),
    ...configurationHandlers(parts, wishes),
    ...backupHandlers(parts),
    ...logHandlers(parts),
  };
}
