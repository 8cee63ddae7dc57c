import { createHash } from 'node:crypto';
import { AgentError, asError } from '../base/errors.ts';
import { badMessage, decodeEnvelope, isObject, type JsonObject } from './envelope.ts';

/** A call or a cast, as it came in. Arguments and context may still be encrypted. */
export interface RpcRequest {
  method: string;
  /** By name, as all arguments of oslo.messaging. */
  args: JsonObject;
  /** '1.0' when the sender did not say. */
  version: string;
  namespace?: string;
  /** The request context, its keys without their `_context_`. */
  context: JsonObject;
  /** What the reply to a call refers to; a cast has none. */
  messageId?: string;
  /** The queue that the reply to a call goes to; a cast has none. */
  replyQueue?: string;
  /** The same for each delivery of the same request. */
  uniqueId?: string;
  /** The caller expects a sign of life within this time; null or absent: it does not. */
  timeoutSeconds?: number | null;
  /** The text that it was decoded from; decoding it again gives the same request. */
  raw: string;
}

/** Who waits for a reply. */
export interface Caller {
  messageId: string;
  replyQueue: string;
}

/** A call that cannot be run, and that says whom to answer. */
export class MalformedCallError extends AgentError {
  readonly caller: Caller;

  constructor(caller: Caller, { message }: Error) {
    super(message);
    this.caller = caller;
  }
}

const CONTEXT = '_context_';
/** Bytes of a short string of AMQP 0-9-1, such as the name of a queue. */
const LONGEST_NAME = 255;

/**
 * Decodes the body of a request: enveloped or bare (docs/contracts/trove.md, 2.2 and 3.4). Throws
 * an AgentError that says what is wrong with it; a MalformedCallError when somebody can be told.
 */
export function decodeRequest(body: Uint8Array | string): RpcRequest {
  const raw = typeof body === 'string' ? body : utf8(body);
  const message = decodeEnvelope(raw);
  try {
    return readRequest(message, raw);
  } catch (error) {
    const { _msg_id: messageId, _reply_q: replyQueue } = message;
    if (!isName(messageId) || !isName(replyQueue)) throw error;
    throw new MalformedCallError({ messageId, replyQueue }, asError(error));
  }
}

/** The same for each delivery of a request; one without an id, which Trove does not send, is known by its bytes. */
export function idOf({ uniqueId, raw }: RpcRequest): string {
  return uniqueId ?? createHash('sha256').update(raw).digest('hex').slice(0, 32);
}

function readRequest(message: JsonObject, raw: string): RpcRequest {
  const { method, args = {}, version = '1.0', _timeout: timeout } = message;
  if (typeof method !== 'string' || method === '') throw badMessage('it names no method');
  if (!isObject(args)) throw badMessage('its args are not an object');
  if (typeof version !== 'string') throw badMessage('its version is not a string');

  const namespace = optionalString(message, 'namespace');
  const uniqueId = shortId(optionalString(message, '_unique_id'));
  const messageId = optionalName(message, '_msg_id');
  const replyQueue = optionalName(message, '_reply_q');
  return {
    method,
    args,
    version,
    ...(namespace !== undefined && { namespace }),
    context: contextOf(message),
    ...(messageId !== undefined && { messageId }),
    ...(replyQueue !== undefined && { replyQueue }),
    ...(uniqueId !== undefined && { uniqueId }),
    ...((timeout === null || typeof timeout === 'number') && { timeoutSeconds: timeout }),
    raw,
  };
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badMessage('the body is not UTF-8');
  }
}

/** null counts as absent. */
function optionalString(message: JsonObject, key: string): string | undefined {
  const value = message[key] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw badMessage(`its ${key} is not a string`);
}

/** What goes back to the caller: RabbitMQ takes no longer name, and a reply must not grow with it. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && Buffer.byteLength(value) <= LONGEST_NAME;
}

function optionalName(message: JsonObject, key: string): string | undefined {
  const value = optionalString(message, key);
  if (value === undefined || isName(value)) return value;
  throw badMessage(`its ${key} is longer than ${LONGEST_NAME} bytes`);
}

/** An id is remembered, and part of the name of a file: another than oslo's stands for itself. */
function shortId(id: string | undefined): string | undefined {
  if (id === undefined || /^[\w-]{1,64}$/.test(id)) return id;
  return createHash('sha256').update(id).digest('hex').slice(0, 32);
}

function contextOf(message: JsonObject): JsonObject {
  const entries = Object.entries(message).filter(([key]) => key.startsWith(CONTEXT));
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(CONTEXT.length), value]));
}
