import { isObject } from '../oslo/envelope.ts';
import { Unauthenticated } from '../oslo/failure.ts';
import { Cipher, type RandomBytes } from './cipher.ts';
import { TROVE_EXCEPTIONS } from './exceptions.ts';
import { mapValues, type JsonObject } from './json.ts';

/** Why a request cannot be read, with what an operator should compare. */
const REASONS = {
  /** The context and the arguments came as they are. */
  clear:
    'is not encrypted, but guest_info.conf has an instance_rpc_encr_key: Trove must have that key ' +
    'for this instance (encrypted_key in its table instances)',
  /** Encrypted, with whatever key. */
  foreign:
    'is not encrypted with the key of this instance: compare instance_rpc_encr_key in ' +
    'guest_info.conf with the key Trove holds for it (encrypted_key in its table instances, opened ' +
    'with inst_rpc_key_encr_key of the controller)',
  /** The context of another request, so that whoever sent it may have no key. */
  replayed:
    'is that of another request, which came before: somebody who can read the messages at the ' +
    'broker has sent it again',
  /** Encrypted, and this instance has no key. */
  keyless:
    'is encrypted, but guest_info.conf has no instance_rpc_encr_key: it must be the key Trove ' +
    'holds for this instance (encrypted_key in its table instances)',
} as const;
type Reason = keyof typeof REASONS;

/**
 * A request that this instance's key does not open, that came in the clear to a keyed guest, or
 * encrypted to one without a key. Its caller gets a BadRequest. Whoever is told by GuestSerializer
 * logs it, at most once a minute.
 */
export class UnreadableRequestError extends Unauthenticated {
  constructor(part: string, reason: Reason, cause?: unknown) {
    super(
      `${part} ${REASONS[reason]}`,
      { exceptionClass: 'BadRequest', exceptionModule: TROVE_EXCEPTIONS },
      { cause },
    );
  }
}

/** Remembers which context came with which request: see SeenContexts. */
export interface ContextMemory {
  isOfAnother(text: string, id: string): boolean;
  remember(text: string, id: string): void;
}

interface GuestSerializerOptions {
  /** Default: none, and a context is taken as often as it comes. */
  readonly contexts?: ContextMemory;
  /** For tests. */
  readonly random?: RandomBytes;
  /** Told about every request that is refused: nobody else logs it. */
  readonly onUnreadable?: (error: UnreadableRequestError) => void;
}

/**
 * What Trove encrypts towards a guest: every argument by itself, and the whole context as one text
 * under the key `context`; method, version and message ids stay clear
 * (docs/contracts/trove.md, 2.4). With a key, nothing that is not encrypted with it gets through,
 * and without one nothing that is encrypted: Python executes such requests with the ciphertext as
 * arguments.
 */
export class GuestSerializer {
  readonly #cipher: Cipher | null;
  readonly #contexts: ContextMemory | undefined;
  readonly #onUnreadable: (error: UnreadableRequestError) => void;

  /** `key` is `instance_rpc_encr_key`, or null when Trove does not encrypt. */
  constructor(key: string | null, options: GuestSerializerOptions = {}) {
    this.#cipher = key === null ? null : new Cipher(key, options.random);
    this.#contexts = options.contexts;
    this.#onUnreadable = options.onUnreadable ?? (() => undefined);
  }

  /** The arguments of a request. Throws UnreadableRequestError naming the argument. */
  decodeArgs(args: JsonObject): JsonObject {
    const cipher = this.#cipher;
    if (cipher === null) return args;
    return mapValues(args, (value, name) => this.#open(cipher, value, `argument '${name}'`));
  }

  /**
   * The request context; `context` is what the `_context_*` keys of the message held, without the
   * prefix, `id` that of the request. An encrypted one is good for one request, and has what all of
   * Trove's have: a request_id and a user. Throws UnreadableRequestError.
   */
  decodeContext(context: JsonObject, id: string): JsonObject {
    const part = 'the request context';
    if (this.#cipher === null) {
      if (isEncrypted(context)) this.#refuse(part, 'keyless');
      return context;
    }
    if (!isEncrypted(context)) this.#refuse(part, 'clear');
    const text = context['context'];
    if (typeof text === 'string' && this.#contexts?.isOfAnother(text, id))
      this.#refuse(part, 'replayed');
    const decoded = this.#open(this.#cipher, text, part);
    if (!isObject(decoded) || !isOfTrove(decoded)) this.#refuse(part, 'foreign');
    if (typeof text === 'string') this.#contexts?.remember(text, id);
    return decoded;
  }

  /** The `result` of a reply: encrypted also when it is null. Failures are never encrypted. */
  encodeResult(result: unknown): unknown {
    const value = result ?? null;
    return this.#cipher === null ? value : this.#cipher.encryptJson(value);
  }

  #open(cipher: Cipher, text: unknown, part: string): unknown {
    try {
      return cipher.decryptJson(text);
    } catch (error) {
      return this.#refuse(part, 'foreign', error);
    }
  }

  #refuse(part: string, reason: Reason, cause?: unknown): never {
    const error = new UnreadableRequestError(part, reason, cause);
    this.#onUnreadable(error);
    throw error;
  }
}

/**
 * What every context of Trove has; `user` is null when it is Trove's own, and has another name in newer
 * releases of oslo.context. Blocks of another text of Trove's have neither.
 */
function isOfTrove(context: JsonObject): boolean {
  const { request_id: requestId } = context;
  const hasUser = Object.hasOwn(context, 'user') || Object.hasOwn(context, 'user_id');
  return typeof requestId === 'string' && requestId !== '' && hasUser;
}

/** Trove's own contexts have many keys, and none of this name. */
function isEncrypted(context: JsonObject): boolean {
  return Object.keys(context).length === 1 && Object.hasOwn(context, 'context');
}
