import { encodeEnvelope, type JsonObject } from './envelope.ts';
import { newUniqueId, type NewUniqueId } from './unique-id.ts';

/** A request that expects no reply. */
interface Cast {
  method: string;
  args: JsonObject;
  version: string;
  /** Sent with `_context_` before each key; `{}` is accepted by the conductor. */
  context: JsonObject;
}

/**
 * The body of a cast. A receiver drops the second message with the same id, so one that is
 * published again after a doubt must be the same bytes (docs/contracts/trove.md, 3.1 and 5.3).
 */
export function encodeCast(cast: Cast, newId: NewUniqueId = newUniqueId): Buffer {
  const { method, args, version, context } = cast;
  const prefixed = Object.entries(context).map(([key, value]) => [`_context_${key}`, value]);
  return encodeEnvelope({
    method,
    args,
    version,
    _unique_id: newId(),
    ...(Object.fromEntries(prefixed) as JsonObject),
  });
}
