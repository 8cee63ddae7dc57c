import * as v from 'valibot';
import type { RpcFailure } from '../oslo/failure.ts';
import type { ArgsSchema } from './guest-args.ts';

/** How Trove sends a method of the guest API (docs/contracts/trove.md, 9.1). */
interface MethodFacts {
  /** A call waits for its reply; nobody hears of a cast, except through the conductor. */
  readonly kind: 'call' | 'cast';
  /** The version that current Trove sends it with. Every 1.x up to our own is accepted. */
  readonly version: '1.0' | '1.1' | '1.2' | '1.3';
  /** How long Trove waits for the reply, in seconds, at Trove's defaults; null for a cast. */
  readonly timeoutSeconds: 15 | 180 | 1800 | null;
  /**
   * Whether Trove waits for notify_end or notify_exc_info about it (docs/contracts/trove.md, 6.2).
   */
  readonly notifies: boolean;
}

/** A method and how it is answered. */
export interface GuestMethod extends MethodFacts {
  readonly args: ArgsSchema<unknown>;
  readonly answer: Answer;
}

/** Who answers a method: a handler, always the same result, or always an exception. */
export type Answer =
  | { readonly by: 'handler' }
  | { readonly by: 'result'; readonly result: unknown }
  | {
      readonly by: 'failure';
      readonly failure: (method: string) => RpcFailure;
      /** Nobody but Trove's log hears of the reply: the user is told by the instance's fault too. */
      readonly isFault?: true;
    };

/** A call within agent_call_low_timeout. */
export const LOW = { kind: 'call', version: '1.0', timeoutSeconds: 15, notifies: false } as const;
/** A call within agent_call_high_timeout. */
export const HIGH = { ...LOW, timeoutSeconds: 180 } as const;
/** A call within agent_replication_snapshot_timeout. */
export const SNAPSHOT = { ...LOW, timeoutSeconds: 1800 } as const;
export const CAST = { ...LOW, kind: 'cast', timeoutSeconds: null } as const;
/** A cast whose outcome Trove hears from the conductor. */
export const NOTIFIED_CAST = { ...CAST, notifies: true } as const;

/** A schema for arguments that nobody reads: only their names count. `name?` may be left out. */
export function names(...list: readonly string[]): ArgsSchema<unknown> {
  return v.object(
    Object.fromEntries(
      list.map((name) =>
        name.endsWith('?') ? [name.slice(0, -1), v.optional(v.unknown())] : [name, v.unknown()],
      ),
    ),
  );
}
