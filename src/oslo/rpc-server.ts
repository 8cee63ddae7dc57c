import type { Delivery, OnDelivery, Publisher } from '../amqp/message.ts';
import type { Clock } from '../base/clock.ts';
import { AgentError, Unfinished } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { Seldom } from '../base/seldom.ts';
import { DuplicateGuard } from './duplicate-guard.ts';
import { badMessage } from './envelope.ts';
import { failureText, LoggedFailure, typeError, Unauthenticated } from './failure.ts';
import { Replies, type Outcome } from './replies.ts';
import { decodeRequest, MalformedCallError, type RpcRequest } from './rpc-request.ts';
import { checkSupported } from './rpc-version.ts';
import { newUniqueId, type NewUniqueId } from './unique-id.ts';

/** Runs the methods. */
export interface Dispatcher {
  /**
   * Runs one request; the result goes to the caller as it is (encrypting it is the dispatcher's
   * business). Throws RpcFailure for an error that the caller is to see as a certain exception, and
   * LoggedFailure when the log has it already; any other failure is logged here.
   * `accepted` is called as soon as the request survives a crash of this process: it is
   * acknowledged then, and not before its outcome is with the caller otherwise.
   */
  dispatch(request: RpcRequest, accepted: () => void): Promise<unknown>;
}

/** Counts the tries of messages that the broker delivers again: one can be what ended the process before. */
export interface TriesAgain {
  /** Whether this one may be tried; its reading begins then. */
  begin(body: Uint8Array): boolean;
  /** What was begun, if anything, was read to its end, and this process lives. */
  survived(): void;
}

interface RpcServerOptions {
  publisher: Publisher;
  dispatcher: Dispatcher;
  clock: Clock;
  log: Logger;
  /**
   * Whether an earlier process has taken charge of the request with this _unique_id: it is
   * acknowledged and not run. Default: none.
   */
  isKnown?: (uniqueId: string) => boolean;
  /** Default: what is delivered again is always tried. */
  triesAgain?: TriesAgain;
  /** Bodies of more bytes are rejected unread. Default 4 MiB. */
  largestBody?: number;
  /** Default: random. */
  newId?: NewUniqueId;
}

/** Bytes: a request of Trove has some thousands (a configuration group, the context of a user). */
const LARGEST_BODY = 4 * 1024 ** 2;

/**
 * A server of oslo.messaging (docs/contracts/trove.md, 3). One delivery goes like this:
 *
 *     too large, or delivered again and tried again before ──► reject
 *       │
 *     decode ──bad──► reject (after telling the caller, if that is known)
 *       │
 *     seen before ──► acknowledged when the first one is
 *       │
 *     dispatch ──accepted──► ack      a failing call replies with its failure,
 *       │                             a failing cast is logged
 *     reply confirmed (calls) ──► ack, if not yet
 *
 * Requests run side by side; whoever must not overlap sees to that itself.
 */
export class RpcServer {
  readonly #dispatcher: Dispatcher;
  readonly #log: Seldom;
  readonly #replies: Replies;
  readonly #guard = new DuplicateGuard();
  readonly #isKnown: (uniqueId: string) => boolean;
  readonly #triesAgain: TriesAgain | undefined;
  readonly #largestBody: number;

  constructor(options: RpcServerOptions) {
    const { publisher, dispatcher, clock, log, newId = newUniqueId } = options;
    this.#dispatcher = dispatcher;
    this.#log = new Seldom(clock, log);
    this.#isKnown = options.isKnown ?? (() => false);
    this.#triesAgain = options.triesAgain;
    this.#largestBody = options.largestBody ?? LARGEST_BODY;
    this.#replies = new Replies({ publisher, clock, newId, log });
  }

  /** The handler for all consumers of this server. */
  readonly onDelivery: OnDelivery = (delivery) => {
    // Until it waits for something for the first time, it has read and checked all of the message.
    const handled = this.#handle(delivery);
    this.#triesAgain?.survived();
    return handled;
  };

  /**
   * Runs a request that an earlier process took charge of and did not finish, and replies to its
   * caller. `body` is the request's `raw`; rejects when it is none.
   */
  async resume(body: string): Promise<void> {
    const request = decodeRequest(body);
    const accepted = this.#guard.remember(request.uniqueId);
    await this.#serve(request, accepted).finally(accepted);
  }

  /** The request in a delivery; throws when it is none that may be run. */
  #open({ content, headers, redelivered }: Delivery): RpcRequest {
    if (content.length > this.#largestBody) {
      throw badMessage(`it has ${content.length} bytes, and ${this.#largestBody} are allowed`);
    }
    if ('compression' in headers) throw badMessage('it is compressed');
    if (redelivered && this.#triesAgain?.begin(content) === false) {
      throw new AgentError('it was tried again before, and no outcome of it is known');
    }
    return decodeRequest(content);
  }

  async #handle(delivery: Delivery): Promise<void> {
    let request: RpcRequest;
    try {
      request = this.#open(delivery);
    } catch (err) {
      this.#log.warn({ err, routingKey: delivery.routingKey }, 'a message was rejected');
      if (err instanceof MalformedCallError) {
        const failure = failureText(typeError(err.message));
        await this.#replies.send(err.caller, { result: null, failure }, { once: true });
      }
      delivery.reject();
      return;
    }
    const { method, uniqueId } = request;
    const earlier = this.#guard.earlier(uniqueId);
    if (earlier) {
      this.#log.warn({ method, uniqueId }, 'a request came again and is not run again');
      await earlier;
      delivery.ack();
      return;
    }
    if (uniqueId !== undefined && this.#isKnown(uniqueId)) {
      this.#log.warn({ method, uniqueId }, 'a request came again after a restart of the agent');
      delivery.ack();
      return;
    }
    const markSafe = this.#guard.remember(uniqueId);
    const accepted = (): void => {
      delivery.ack();
      markSafe();
    };
    try {
      await this.#serve(request, accepted);
    } finally {
      accepted();
    }
  }

  async #serve(request: RpcRequest, accepted: () => void): Promise<void> {
    const { messageId, replyQueue, timeoutSeconds } = request;
    if (messageId === undefined || replyQueue === undefined) {
      await this.#run(request, accepted);
      return;
    }
    const caller = { messageId, replyQueue };
    const stopBeating = this.#replies.beat(caller, timeoutSeconds);
    const run = await this.#run(request, accepted).finally(stopBeating);
    if (run === null) return;
    // A caller that is not there must hold up nobody: its message takes no place here any more.
    await this.#replies.send(caller, run.outcome, { once: !run.authenticated, onWait: accepted });
  }

  /** Null when there is no outcome yet. */
  async #run(request: RpcRequest, accepted: () => void): Promise<Run | null> {
    const { method, uniqueId } = request;
    let authenticated = false;
    try {
      checkSupported(request);
      authenticated = true;
      const result = await this.#dispatcher.dispatch(request, accepted);
      return { outcome: { result: result ?? null, failure: null }, authenticated };
    } catch (err) {
      if (err instanceof Unfinished) return null;
      if (!(err instanceof LoggedFailure))
        this.#log.warn({ err, method, uniqueId }, 'a request failed');
      authenticated &&= !(err instanceof Unauthenticated);
      return { outcome: { result: null, failure: failureText(err) }, authenticated };
    }
  }
}

/** How a request ended. */
interface Run {
  outcome: Outcome;
  /** Whether its sender has the key of this guest; without a key everybody has. */
  authenticated: boolean;
}
