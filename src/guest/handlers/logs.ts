import type { GuestHandlers } from '../../trove/dispatcher.ts';
import type { HandlerParts } from './parts.ts';

/** The methods that show and publish logs. They change nothing of the node, and wait for no operation. */
export function logHandlers({
  logs,
}: Pick<HandlerParts, 'logs'>): Pick<GuestHandlers, 'guest_log_list' | 'guest_log_action'> {
  return {
    guest_log_list: (_, { context }) => logs.list(context),
    guest_log_action: (action, { context }) => logs.act(action, context),
  };
}
