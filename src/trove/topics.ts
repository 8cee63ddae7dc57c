/**
 * The topic of one guest: queue, routing key, and the start of the names of its fanout exchange and
 * of its server queue (docs/contracts/trove.md, 1.1).
 */
export function guestTopic(guestId: string): string {
  return `guestagent.${guestId}`;
}

/** Where the conductor listens unless `[DEFAULT] conductor_queue` says otherwise: a routing key. */
export const DEFAULT_CONDUCTOR_QUEUE = 'trove-conductor';

/** The version of every cast to the conductor; it drops any other. */
export const CONDUCTOR_RPC_VERSION = '1.0';
