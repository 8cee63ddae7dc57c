import type { GuestCall } from '../../trove/dispatcher.ts';
import { guestError, troveError } from '../../trove/exceptions.ts';
import { HANDLED_METHODS, type HandledMethod } from '../../trove/handled-methods.ts';
import type { DesiredState } from '../../node/desired-state.ts';
import { parametersKey } from '../../role/registration.ts';
import { isStopped, serves } from '../../node/plan/wants.ts';
import type { Snapshot } from '../../node/reconciler.ts';
import { refusal } from '../../ring/change/leave.ts';
import type { HandlerParts } from './parts.ts';

type WishParts = Pick<HandlerParts, 'desired' | 'operations' | 'reconciler' | 'replyMarginMs'> & {
  node: Pick<HandlerParts['node'], 'startAfresh'>;
};

/**
 * What all methods that change this VM have in common: they run as an operation, change what the VM
 * should be, and wait until it is so.
 */
export class Wishes {
  readonly #parts: WishParts;
  #newest = Symbol('wish');

  constructor(parts: WishParts) {
    this.#parts = parts;
  }

  /** Runs `work` as an operation. Calls of this method with the same `key` share one. */
  perform<T>(
    name: HandledMethod,
    call: GuestCall,
    key: string,
    work: () => Promise<T>,
  ): Promise<T> {
    const { timeoutSeconds } = HANDLED_METHODS[name];
    const { operations, replyMarginMs } = this.#parts;
    return operations.perform({
      name,
      key: `${name} ${key}`,
      entry: { id: call.id, body: call.body },
      accepted: call.accepted,
      limitMs: timeoutSeconds === null ? null : timeoutSeconds * 1000 - replyMarginMs,
      work,
    });
  }

  /** Ends the waiting of earlier requests, with a clean sheet for leaving and crashing. */
  startOver(): symbol {
    this.#newest = Symbol('wish');
    this.#parts.node.startAfresh();
    return this.#newest;
  }

  /**
   * Changes what this VM should be, with a clean sheet for leaving and crashing, and waits until it
   * is so. A later request ends the waiting: what was asked for then is no longer wanted.
   */
  async make(
    change: Partial<DesiredState>,
    isSo: (snapshot: Snapshot) => boolean,
  ): Promise<Snapshot> {
    const { reconciler } = this.#parts;
    const wish = this.startOver();
    await reconciler.wish(change);
    return reconciler.until((snapshot) => {
      if (this.#newest !== wish) throw guestError('a later request has taken its place');
      return isSo(snapshot);
    });
  }

  /**
   * A change that makes this node leave its ring. If the data cannot move, the node stays what it
   * was, and Trove hears why.
   */
  async leave(
    change: Partial<DesiredState>,
    undo: Partial<DesiredState>,
    isSo: (snapshot: Snapshot) => boolean = hasLeft,
  ): Promise<void> {
    const { observed } = await this.make(
      change,
      (snapshot) => refusal(snapshot.observed.memory.leave) !== null || isSo(snapshot),
    );
    const refused = refusal(observed.memory.leave);
    if (refused === null) return;
    // The wish first: until it has changed, a node with a clean sheet would leave once more.
    await this.#parts.reconciler.wish(undo);
    this.startOver();
    throw guestError(`this node cannot leave the ring: ${refused}`);
  }

  /**
   * In service in the cluster that it should be in, or with nothing to serve. Throws a GuestError
   * with the reason when the programs do not stay up, as the program wrote it, or when the extdata-url is
   * that of another cluster.
   */
  isUp({ desired, observed, step }: Snapshot): boolean {
    if (observed.memory.crashLoops) {
      throw guestError(`the programs do not stay up: ${observed.memory.crashReason}`);
    }
    if (observed.memory.otherCluster !== null) throw guestError(observed.memory.otherCluster);
    const { parameters, registration } = desired;
    if (parameters === null) return step.kind === 'rest';
    // Until it leaves, a node that moves serves in the cluster that it was in.
    return registration?.parametersKey === parametersKey(parameters) && serves(desired, observed);
  }

  /** Throws a TroveError, unless prepare has succeeded. */
  requirePrepared(method: HandledMethod): void {
    const { phase, failure } = this.#parts.desired();
    if (phase === 'prepared') return;
    const why =
      phase === 'failed' ? `prepare failed: ${failure ?? 'unknown'}` : 'prepare is not over yet';
    throw troveError(`${method} is not possible on this instance: ${why}`);
  }
}

/** Stopped, and unregistered if K2HR3 could be reached; if not, that is tried on and on. */
function hasLeft({ observed, step }: Snapshot): boolean {
  return isStopped(observed) && step.kind !== 'do';
}
