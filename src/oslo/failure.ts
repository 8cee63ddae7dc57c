import { AgentError, messageOf, type ErrorFacts } from '../base/errors.ts';
import { excerpt } from '../base/text.ts';
import type { JsonObject } from './envelope.ts';

/** Which Python exception a failure becomes at the caller. */
interface RemoteException {
  exceptionClass: string;
  /**
   * The caller rebuilds exceptions of `trove.common.exception` and `builtins`; of any other
   * module it gets a RemoteError with the message.
   */
  exceptionModule: string;
  /** Default: the message. */
  exceptionArgs?: readonly unknown[];
  exceptionKwargs?: Readonly<JsonObject>;
}

/** An error that reaches the caller as the Python exception it names. */
export class RpcFailure extends AgentError {
  readonly exceptionClass: string;
  readonly exceptionModule: string;
  readonly exceptionArgs: readonly unknown[];
  readonly exceptionKwargs: Readonly<JsonObject>;

  constructor(message: string, exception: RemoteException, facts: ErrorFacts = {}) {
    super(message, facts);
    this.exceptionClass = exception.exceptionClass;
    this.exceptionModule = exception.exceptionModule;
    this.exceptionArgs = exception.exceptionArgs ?? [this.message];
    this.exceptionKwargs = exception.exceptionKwargs ?? {};
  }
}

/** A failure that the log has already: the RPC server answers with it and does not log it again. */
export class LoggedFailure extends RpcFailure {
  /** The same failure for the caller as `error` would be. */
  static of(error: unknown): LoggedFailure {
    const failure = asFailure(error);
    return new LoggedFailure(failure.message, failure, { cause: error });
  }
}

/**
 * The request does not prove to come from who has the key of this guest: anybody who can reach the
 * broker can have sent it. Its caller is answered once, if that is possible at once.
 */
export class Unauthenticated extends LoggedFailure {}

/**
 * The `failure` of a reply: a JSON string, never encrypted. `tb` is empty, because Trove shows the
 * traceback to its users as part of the message (docs/contracts/trove.md, 4.2). An error that is no
 * RpcFailure becomes a RuntimeError with its one-line message.
 */
export function failureText(error: unknown): string {
  const failure = asFailure(error);
  return JSON.stringify({
    class: failure.exceptionClass,
    module: failure.exceptionModule,
    message: failure.message,
    tb: [],
    args: failure.exceptionArgs,
    kwargs: failure.exceptionKwargs,
  });
}

const DISPATCHER = 'oslo_messaging.rpc.dispatcher';
const BUILTINS = 'builtins';

/** The answer to a method that is not there. */
export function noSuchMethod(method: string): RpcFailure {
  return new RpcFailure(`Endpoint does not support RPC method ${excerpt(method)}`, {
    exceptionClass: 'NoSuchMethod',
    exceptionModule: DISPATCHER,
  });
}

/** The answer to a version, or a namespace, that is not served. */
export function unsupportedVersion(version: string, method: string): RpcFailure {
  return new RpcFailure(
    `Endpoint does not support RPC version ${excerpt(version)}. Attempted method: ${excerpt(method)}`,
    { exceptionClass: 'UnsupportedVersion', exceptionModule: DISPATCHER },
  );
}

/** The answer to arguments that are missing, unknown or of the wrong type. */
export function typeError(message: string): RpcFailure {
  return new RpcFailure(message, { exceptionClass: 'TypeError', exceptionModule: BUILTINS });
}

function asFailure(error: unknown): RpcFailure {
  if (error instanceof RpcFailure) return error;
  return new RpcFailure(
    messageOf(error),
    { exceptionClass: 'RuntimeError', exceptionModule: BUILTINS },
    { cause: error },
  );
}
