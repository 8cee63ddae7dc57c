import http from 'node:http';
import https from 'node:https';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import { withDeadline } from '../../base/wait.ts';
import { tlsProblem } from './tls-problem.ts';
import { notTrusted, unanswered } from './swift-error.ts';

/**
 * What is sent: bytes at hand, or bytes that are made while they are sent. The memory of a piece may
 * be used again when the next one is asked for, or when the iteration is ended.
 */
export type SwiftBody = Uint8Array | AsyncIterable<Uint8Array>;

/** One call. Errors show `what`, never the headers: they hold the token. */
export interface SwiftCall {
  /** Method, origin and path, for a person. */
  what: string;
  method: 'HEAD' | 'GET' | 'PUT' | 'DELETE';
  url: URL;
  headers: Record<string, string>;
  body?: SwiftBody | undefined;
  /** For a call that keeps Swift busy: in place of the transport's own (ms). */
  silenceTimeoutMs?: number;
}

/** How calls are made. Times in milliseconds. */
export interface SwiftTransport {
  agent: http.Agent;
  clock: Clock;
  /** PEM text of the CA of Swift's certificate; undefined: those that Node.js knows. */
  ca: string | undefined;
  /** Whether any certificate will do: Trove's `swift_api_insecure`. */
  insecure: boolean;
  /** Until TCP and TLS stand. */
  connectTimeoutMs: number;
  /** Swift takes nothing and says nothing for so long: the connection is dead. */
  silenceTimeoutMs: number;
  signal: AbortSignal | undefined;
}

/** So long Swift is waited for to ask for a body; then it gets it unasked (ms). */
const CONTINUE_WAIT_MS = 2_000;

/**
 * Sends one call; resolves as soon as the headers of the answer are there. A body that is made on
 * the way is begun when Swift asks for it (100-continue), and ended when Swift answers early: a
 * refusal would else be lost with the connection that Swift closes.
 *
 * @throws SwiftError without a status when no answer comes; what the body throws if that fails.
 */
export async function exchange(
  call: SwiftCall,
  transport: SwiftTransport,
): Promise<http.IncomingMessage> {
  const outgoing = open(call, transport);
  const answer = new Promise<http.IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    // Not once: one more error may follow the first.
    outgoing.on('error', (error) => reject(noAnswer(call, transport, error)));
  });
  answer.catch(() => undefined); // the body is told of it when it wants to send on
  try {
    if (call.body === undefined || call.body instanceof Uint8Array) outgoing.end(call.body);
    else await sendPieces(call.body, outgoing, answer, call, transport);
    return await unlessSilent(answer, call, transport);
  } catch (error) {
    outgoing.destroy();
    throw error;
  }
}

/**
 * The body of an answer, piece by piece.
 *
 * @throws SwiftError without a status when it is cut off or stops coming.
 */
export async function* bodyOf(
  incoming: http.IncomingMessage,
  call: SwiftCall,
  transport: SwiftTransport,
): AsyncGenerator<Buffer, void> {
  const pieces = incoming[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const next = pieces.next().catch((error: unknown) => {
        throw noAnswer(call, transport, error);
      });
      const piece = await unlessSilent(next, call, transport);
      if (piece.done) return;
      yield piece.value;
    }
  } finally {
    if (!incoming.complete) incoming.destroy();
  }
}

function open(call: SwiftCall, transport: SwiftTransport): http.ClientRequest {
  const { agent, clock, ca, insecure, connectTimeoutMs, signal } = transport;
  const secure = call.url.protocol === 'https:';
  const outgoing = (secure ? https : http).request(call.url, {
    method: call.method,
    headers: call.headers,
    agent,
    ...(signal === undefined ? {} : { signal }),
    ...(secure ? { ca, rejectUnauthorized: !insecure } : {}),
  });
  const cancel = clock.after(connectTimeoutMs, () => {
    outgoing.destroy(new Error(`no connection within ${connectTimeoutMs / 1000} s`));
  });
  outgoing.once('close', cancel);
  outgoing.once('socket', (socket) => {
    if (outgoing.reusedSocket) cancel();
    else socket.once(secure ? 'secureConnect' : 'connect', cancel);
  });
  return outgoing;
}

async function sendPieces(
  body: AsyncIterable<Uint8Array>,
  outgoing: http.ClientRequest,
  answer: Promise<http.IncomingMessage>,
  call: SwiftCall,
  transport: SwiftTransport,
): Promise<void> {
  const answers: http.IncomingMessage[] = [];
  const over = answer.then((one) => void answers.push(one));
  over.catch(() => undefined);
  outgoing.flushHeaders();
  await Promise.race([over, wanted(outgoing, transport.clock)]);
  if (answers.length > 0) return;
  for await (const piece of body) {
    const sent = new Promise<void>((resolve) => outgoing.write(piece, () => resolve()));
    await unlessSilent(Promise.race([over, sent]), call, transport);
    // An answer before the end is a refusal; the rest of the body is not made.
    if (answers.length > 0) return;
  }
  outgoing.end();
}

/** Resolves when Swift asks for the body, or has not said anything for a while. */
function wanted(outgoing: http.ClientRequest, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(CONTINUE_WAIT_MS, resolve);
    outgoing.once('continue', resolve);
    outgoing.once('close', resolve);
    outgoing.once('continue', cancel);
    outgoing.once('close', cancel);
  });
}

function unlessSilent<T>(
  work: Promise<T>,
  call: SwiftCall,
  { clock, silenceTimeoutMs }: SwiftTransport,
): Promise<T> {
  const limitMs = call.silenceTimeoutMs ?? silenceTimeoutMs;
  return withDeadline(clock, limitMs, work, () =>
    unanswered(call.what, `no sign of life for ${limitMs / 1000} s`),
  );
}

function noAnswer(call: SwiftCall, { signal }: SwiftTransport, thrown: unknown): Error {
  const cause: unknown = signal?.aborted ? signal.reason : thrown;
  const problem = tlsProblem(cause);
  if (problem !== null) return notTrusted(call.what, problem);
  return unanswered(call.what, `no complete answer: ${messageOf(cause)}`, cause);
}
