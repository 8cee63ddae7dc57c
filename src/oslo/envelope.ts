import type { MessageProperties } from '../amqp/message.ts';
import { AgentError, withoutStack } from '../base/errors.ts';
import { excerpt } from '../base/text.ts';

/** Any JSON object. */
export type JsonObject = Record<string, unknown>;

/**
 * The AMQP properties of every message of oslo.messaging (docs/contracts/trove.md, 2.1). A reply
 * without this content_type is ignored by its caller (docs/contracts/trove.md, 4.1).
 */
export const WIRE_PROPERTIES: Readonly<MessageProperties> = {
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  headers: {},
  deliveryMode: 2,
  priority: 0,
};

const VERSION = 'oslo.version';
const MESSAGE = 'oslo.message';

/** The bytes of a message, in the envelope of version 2.0: JSON with a JSON string inside. */
export function encodeEnvelope(message: JsonObject): Buffer {
  return Buffer.from(JSON.stringify({ [VERSION]: '2.0', [MESSAGE]: JSON.stringify(message) }));
}

/**
 * The message inside an envelope. A message without one, or with half of one, is taken as it is
 * (docs/contracts/trove.md, 3.4). Throws an AgentError for text that is no JSON object, and for
 * envelopes of another version; the text is not quoted, it may hold a token.
 */
export function decodeEnvelope(text: string): JsonObject {
  const outer = parseObject(text, 'the body');
  if (!(VERSION in outer && MESSAGE in outer)) return outer;
  if (outer[VERSION] !== '2.0') {
    const version =
      typeof outer[VERSION] === 'string' ? `"${excerpt(outer[VERSION])}"` : 'another kind';
    throw badMessage(`its envelope is of version ${version}, not 2.0`);
  }
  if (typeof outer[MESSAGE] !== 'string') throw badMessage(`its ${MESSAGE} is not a string`);
  return parseObject(outer[MESSAGE], `its ${MESSAGE}`);
}

/** Whether a value that came as JSON is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is wrong with a message that came in. */
export function badMessage(what: string): AgentError {
  return new AgentError(`not a message of oslo.messaging: ${what}`);
}

function parseObject(text: string, what: string): JsonObject {
  let value: unknown;
  try {
    value = withoutStack((): unknown => JSON.parse(text));
  } catch {
    throw badMessage(`${what} is not JSON`);
  }
  if (!isObject(value)) throw badMessage(`${what} is not a JSON object`);
  return value;
}
