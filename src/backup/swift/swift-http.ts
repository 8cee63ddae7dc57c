import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import { NoAnswer } from '../../http/no-answer.ts';
import type { Pool } from '../../http/pool.ts';
import type { HttpBody } from '../../http/send-body.ts';
import { send, type HttpAnswer } from '../../http/send.ts';
import { parseTarget } from '../../http/target.ts';
import { tlsProblem } from '../../http/tls-problem.ts';
import { wrongPeer } from '../../http/wrong-peer.ts';
import { notCallable, notTrusted, unanswered } from './swift-error.ts';

/** One call. Errors show `what`, never the headers: they hold the token. */
export interface SwiftCall {
  /** Method, origin and path, for a person. */
  what: string;
  method: 'HEAD' | 'GET' | 'PUT' | 'DELETE';
  url: URL;
  headers: Record<string, string>;
  body?: HttpBody | undefined;
  /** Answers that another try does not change, although it can elsewhere; with what to do about them. */
  final?: Readonly<Record<number, string>>;
  /** For a call that keeps Swift busy: in place of the transport's own (ms). */
  silenceTimeoutMs?: number;
}

/** How calls are made. Times in milliseconds. */
export interface SwiftTransport {
  pool: Pool;
  clock: Clock;
  /** PEM text of the CA of Swift's certificate; undefined: those that Node.js knows. */
  ca: string | undefined;
  /** Whether any certificate will do: Trove's `swift_api_insecure`. */
  insecure: boolean;
  /** Until TCP and TLS stand. */
  connectTimeoutMs: number;
  /** See HttpWay.silenceMs. */
  silenceTimeoutMs: number;
  signal: AbortSignal | undefined;
}

/**
 * Sends one call; resolves as soon as the headers of the answer are there.
 *
 * @throws SwiftError without a status when no answer comes, also from its body; what the body that is
 *   sent throws if that fails.
 */
export async function exchange(call: SwiftCall, transport: SwiftTransport): Promise<HttpAnswer> {
  const { pool, clock, ca, insecure, signal, connectTimeoutMs: connectMs } = transport;
  const target = parseTarget(call.url.href);
  if (target === null) throw notCallable(call.what);
  const silenceMs = call.silenceTimeoutMs ?? transport.silenceTimeoutMs;
  const way = { pool, clock, ca, insecure, connectMs, silenceMs, signal };
  try {
    const answer = await send({ ...call, target }, way);
    return { ...answer, body: readAs(call, answer.body) };
  } catch (error) {
    throw failureOf(call, error);
  }
}

async function* readAs(call: SwiftCall, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  try {
    yield* body;
  } catch (error) {
    throw failureOf(call, error);
  }
}

function failureOf({ what }: SwiftCall, failure: unknown): unknown {
  if (!(failure instanceof NoAnswer)) return failure;
  const problem = tlsProblem(failure.cause, 'backup.ca_file');
  if (problem !== null) return notTrusted(what, problem);
  const why = wrongPeer(failure.cause) ?? messageOf(failure);
  return unanswered(what, `no complete answer: ${why}`, failure.cause);
}
