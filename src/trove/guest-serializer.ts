import { isObject } from '../oslo/envelope.ts';
import { RpcFailure } from '../oslo/failure.ts';
import { Cipher, type RandomBytes } from './cipher.ts';
import { TROVE_EXCEPTIONS } from './exceptions.ts';
import { mapValues, type JsonObject } from './json.ts';

/**
 * A request that this instance's key does not open, or that came in the clear to a keyed guest. Its
 * caller gets a BadRequest.
 */
export class UnreadableRequestError extends RpcFailure {
  constructor(part: string, cause?: unknown) {
    super(
      `${part} is not encrypted with the key of this instance: ` +
        'compare instance_rpc_encr_key in guest_info.conf with the key Trove holds for it',
      { exceptionClass: 'BadRequest', exceptionModule: TROVE_EXCEPTIONS },
      { cause },
    );
  }
}

/**
 * What Trove encrypts towards a guest: every argument by itself, and the whole context as one text
 * under the key `context`; method, version and message ids stay clear (trove-rpc contract,
 * section 2). With a key, nothing that is not encrypted with it gets through: Python executes such
 * requests with the ciphertext as arguments. Without a key everything passes as it is.
 */
export class GuestSerializer {
  readonly #cipher: Cipher | null;

  /** `key` is `instance_rpc_encr_key`, or null when Trove does not encrypt. */
  constructor(key: string | null, random?: RandomBytes) {
    this.#cipher = key === null ? null : new Cipher(key, random);
  }

  /** The arguments of a request. Throws UnreadableRequestError naming the argument. */
  decodeArgs(args: JsonObject): JsonObject {
    const cipher = this.#cipher;
    if (cipher === null) return args;
    return mapValues(args, (value, name) => open(cipher, value, `argument '${name}'`));
  }

  /**
   * The request context; `context` is what the `_context_*` keys of the message held, without the
   * prefix. Throws UnreadableRequestError.
   */
  decodeContext(context: JsonObject): JsonObject {
    if (this.#cipher === null) return context;
    const decoded = open(this.#cipher, context['context'], 'the request context');
    if (!isObject(decoded)) throw new UnreadableRequestError('the request context');
    return decoded;
  }

  /** The `result` of a reply: encrypted also when it is null. Failures are never encrypted. */
  encodeResult(result: unknown): unknown {
    const value = result ?? null;
    return this.#cipher === null ? value : this.#cipher.encryptJson(value);
  }
}

function open(cipher: Cipher, text: unknown, part: string): unknown {
  try {
    return cipher.decryptJson(text);
  } catch (error) {
    throw new UnreadableRequestError(part, error);
  }
}
