import type { Delivery, OnDelivery, Publisher } from '../amqp/message.ts';
import type { Clock } from '../base/clock.ts';
import { Unfinished } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { DuplicateGuard } from './duplicate-guard.ts';
import { badMessage } from './envelope.ts';
import { failureText, LoggedFailure, typeError } from './failure.ts';
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
  /** Default: random. */
  newId?: NewUniqueId;
}

/**
 * A server of oslo.messaging (docs/contracts/trove.md, 3). One delivery goes like this:
 *
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
  readonly #log: Logger;
  readonly #replies: Replies;
  readonly #guard = new DuplicateGuard();
  readonly #isKnown: (uniqueId: string) => boolean;

  constructor(options: RpcServerOptions) {
    const { publisher, dispatcher, clock, log, newId = newUniqueId } = options;
    this.#dispatcher = dispatcher;
    this.#log = log;
    this.#isKnown = options.isKnown ?? (() => false);
    this.#replies = new Replies({ publisher, clock, newId, log });
  }

  /** The handler for all consumers of this server. */
  readonly onDelivery: OnDelivery = (delivery) => this.#handle(delivery);

  /**
   * Runs a request that an earlier process took charge of and did not finish, and replies to its
   * caller. `body` is the request's `raw`; rejects when it is none.
   */
  async resume(body: string): Promise<void> {
    const request = decodeRequest(body);
    const accepted = this.#guard.remember(request.uniqueId);
    await this.#serve(request, accepted).finally(accepted);
  }

  async #handle(delivery: Delivery): Promise<void> {
    let request: RpcRequest;
    try {
      if ('compression' in delivery.headers) throw badMessage('it is compressed');
      request = decodeRequest(delivery.content);
    } catch (err) {
      this.#log.warn({ err, routingKey: delivery.routingKey }, 'a message was rejected');
      if (err instanceof MalformedCallError) {
        const failure = failureText(typeError(err.message));
        await this.#replies.send(err.caller, { result: null, failure });
      }
      delivery.reject();
      return;
    }
    const { method, uniqueId } = request;
    const earlier = this.#guard.earlier(uniqueId);
    if (earlier) {
      this.#log.info({ method, uniqueId }, 'a request came again and is not run again');
      await earlier;
      delivery.ack();
      return;
    }
    if (uniqueId !== undefined && this.#isKnown(uniqueId)) {
      this.#log.info({ method, uniqueId }, 'a request came again after a restart of the agent');
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
    const outcome = await this.#run(request, accepted).finally(stopBeating);
    if (outcome !== null) await this.#replies.send(caller, outcome);
  }

  /** Null when there is no outcome yet. */
  async #run(request: RpcRequest, accepted: () => void): Promise<Outcome | null> {
    const { method, uniqueId } = request;
    try {
      checkSupported(request);
      const result = await this.#dispatcher.dispatch(request, accepted);
      return { result: result ?? null, failure: null };
    } catch (err) {
      if (err instanceof Unfinished) return null;
      if (!(err instanceof LoggedFailure))
        this.#log.warn({ err, method, uniqueId }, 'a request failed');
      return { result: null, failure: failureText(err) };
    }
  }
}
