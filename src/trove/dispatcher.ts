import type { Logger } from '../base/log.ts';
import { noSuchMethod } from '../oslo/failure.ts';
import { idOf, type RpcRequest } from '../oslo/rpc-request.ts';
import type { Dispatcher } from '../oslo/rpc-server.ts';
import { parseArgs, type ArgsSchema } from './guest-args.ts';
import type { GuestMethod } from './guest-method.ts';
import { GUEST_METHODS, isHandled } from './guest-methods.ts';
import type { GuestSerializer } from './guest-serializer.ts';
import {
  HANDLED_METHODS,
  type GuestArgs,
  type GuestResults,
  type HandledMethod,
} from './handled-methods.ts';
import type { JsonObject } from './json.ts';

/** What a handler is told about the request beside its arguments. */
export interface GuestCall {
  /** The same for every delivery of this request: its _unique_id, or a digest of its body. */
  readonly id: string;
  /** The message as it came, still encrypted if it was: what a journal keeps. */
  readonly body: string;
  /** The request context, decrypted. It holds the user's token. */
  readonly context: JsonObject;
  /** To be called when the request survives a crash: its message is then acknowledged. */
  readonly accepted: () => void;
}

/** One function for each method with a handler. What it rejects with goes to the caller. */
export type GuestHandlers = {
  readonly [M in HandledMethod]: (args: GuestArgs[M], call: GuestCall) => HandlerResult<M>;
};

type HandlerResult<M> = M extends keyof GuestResults
  ? Promise<GuestResults[M]>
  : Promise<void> | Promise<null>;

/**
 * A cast that reached no handler: it has no reply that could say so. Or a call whose reply shows nobody
 * why, as that to pre_upgrade.
 */
export interface RefusedCast {
  /** As of GuestCall. */
  readonly id: string;
  readonly method: string;
  /** Decoded, but not checked. */
  readonly args: JsonObject;
  readonly context: JsonObject;
  /** Why; its message is for the user. */
  readonly failure: unknown;
}

interface GuestDispatcherOptions {
  readonly serializer: GuestSerializer;
  readonly handlers: GuestHandlers;
  /**
   * Told about refused casts, which nobody would hear of otherwise. Resolves when that is safe: the
   * message is acknowledged then.
   */
  readonly onRefusedCast?: (refused: RefusedCast) => Promise<void>;
  readonly log: Logger;
}

/** By mapped type, so that a method's schema and its handler stay one pair. */
const SCHEMAS: { readonly [M in HandledMethod]: { readonly args: ArgsSchema<GuestArgs[M]> } } =
  HANDLED_METHODS;

/**
 * Trove's guest API: looks the method up, opens arguments and context, checks the arguments, and
 * has a handler or the table of methods answer. Whatever it throws is what the caller gets.
 */
export function createGuestDispatcher(options: GuestDispatcherOptions): Dispatcher {
  const { serializer, handlers, onRefusedCast, log } = options;

  const withHandler = <M extends HandledMethod>(
    method: M,
    args: JsonObject,
    call: GuestCall,
  ): (() => HandlerResult<M>) => {
    const checked = parseArgs(method, SCHEMAS[method].args, args);
    return () => handlers[method](checked, call);
  };

  return {
    async dispatch(request: RpcRequest, accepted: () => void): Promise<unknown> {
      const { method, messageId } = request;
      // First of all: who has not the key of this guest learns nothing else.
      const id = idOf(request);
      const context = serializer.decodeContext(request.context, id);
      const args = serializer.decodeArgs(request.args);
      const facts = GUEST_METHODS.get(method);
      if (facts === undefined) throw noSuchMethod(method);
      const call = { id, body: request.raw, context, accepted };
      log.debug({ method, request: context['request_id'], id: call.id }, 'Trove asks');

      let run: () => unknown;
      try {
        run = isHandled(method)
          ? withHandler(method, args, call)
          : withoutHandler(method, facts, args);
      } catch (failure) {
        const isFault = facts.answer.by === 'failure' && facts.answer.isFault === true;
        if (messageId === undefined || isFault) {
          await onRefusedCast?.({ id: call.id, method, args, context, failure });
        }
        throw failure;
      }
      return serializer.encodeResult(await run());
    },
  };
}

/** What the table of methods says; throws when that is an exception. */
function withoutHandler(
  method: string,
  { args: schema, answer }: GuestMethod,
  args: JsonObject,
): () => unknown {
  parseArgs(method, schema, args);
  if (answer.by === 'failure') throw answer.failure(method);
  return () => (answer.by === 'result' ? answer.result : null);
}
