import { RpcFailure } from '../oslo/failure.ts';

/** The module that Trove allows remote exceptions from. */
export const TROVE_EXCEPTIONS = 'trove.common.exception';
/** The datastore's name in Trove's own texts. */
const DATASTORE = 'k2hdkc';

// Trove makes the exception again from class, args and kwargs, but shows `message`. Its API then
// puts every failure of a call into "An error occurred communicating with the guest: <message>."
// (docs/contracts/trove.md, 4.2), so no text here repeats that phrase.

/** trove.common.exception.TroveError: something went wrong that has no class of its own. */
export function troveError(message: string): RpcFailure {
  return failure('TroveError', message);
}

/** trove.common.exception.GuestError: the guest could not do it. */
export function guestError(message: string): RpcFailure {
  return failure('GuestError', message, { original_message: message });
}

/** trove.common.exception.BadRequest: the caller asks for what makes no sense. */
export function badRequest(message: string): RpcFailure {
  return failure('BadRequest', message);
}

/** trove.common.exception.NotFound: there is no such thing. */
export function notFound(message: string): RpcFailure {
  return failure('NotFound', message);
}

/** trove.common.exception.LogAccessForbidden, with Trove's own text. */
export function logAccessForbidden(action: string, log: string): RpcFailure {
  return failure('LogAccessForbidden', `You must be admin to ${action} log '${log}'.`, {
    action,
    log,
  });
}

/**
 * trove.common.exception.DatastoreOperationNotSupported, with Trove's own text, and after it `why`
 * or what to do instead.
 */
export function notSupported(operation: string, why?: string): RpcFailure {
  const text = `The '${operation}' operation is not supported for the '${DATASTORE}' datastore`;
  return failure(
    'DatastoreOperationNotSupported',
    `${text}${why === undefined ? '' : `: ${why}`}.`,
    {
      operation,
      datastore: DATASTORE,
    },
  );
}

/** Trove's classes take either their text or the values that go into it. */
function failure(
  exceptionClass: string,
  message: string,
  kwargs?: Readonly<Record<string, string>>,
): RpcFailure {
  return new RpcFailure(message, {
    exceptionClass,
    exceptionModule: TROVE_EXCEPTIONS,
    ...(kwargs !== undefined && { exceptionArgs: [], exceptionKwargs: kwargs }),
  });
}
