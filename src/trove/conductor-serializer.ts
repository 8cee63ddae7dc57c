import { Cipher, type RandomBytes } from './cipher.ts';
import { mapValues, type JsonObject } from './json.ts';

/** The part of a cast that is encrypted on its way to the conductor. */
interface ConductorPayload {
  readonly args: JsonObject;
  /** Context keys without the `_context_` prefix. */
  readonly context: JsonObject;
}

/**
 * What a guest sends to the conductor. It differs from what the guest receives: each argument is a
 * JSON text that names the instance whose key opens it, and the context is two keys
 * (docs/contracts/trove.md, 5.2).
 */
export class ConductorSerializer {
  readonly #instanceId: string;
  readonly #cipher: Cipher | null;

  /** `key` is `instance_rpc_encr_key`, or null when Trove does not encrypt. */
  constructor(instanceId: string, key: string | null, random?: RandomBytes) {
    this.#instanceId = instanceId;
    this.#cipher = key === null ? null : new Cipher(key, random);
  }

  /** The payload as it goes on the wire. */
  encode({ args, context }: ConductorPayload): ConductorPayload {
    const cipher = this.#cipher;
    if (cipher === null) return { args: mapValues(args, keepText), context };
    const owner = { 'csz-instance-id': this.#instanceId };
    return {
      args: mapValues(args, (value) =>
        JSON.stringify({ entity: cipher.encryptJson(value), ...owner }),
      ),
      context: { context: cipher.encryptJson(context), ...owner },
    };
  }
}

/**
 * In the clear, the conductor parses every text argument as JSON before anything else: a checksum
 * of digits would arrive as a number. Such a text is sent as a JSON text of itself.
 */
function keepText(value: unknown): unknown {
  return typeof value === 'string' && isJson(value) ? JSON.stringify(value) : value;
}

function isJson(text: string): boolean {
  // Python's parser takes these three as well.
  if (['NaN', 'Infinity', '-Infinity'].includes(text.trim())) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
