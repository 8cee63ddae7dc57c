import http from 'node:http';
import https from 'node:https';
import { isIPv6, type Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { codeOf, messageOf } from '../base/errors.ts';
import { dialOptions, type DialOptions } from '../host/dial.ts';
import { answerBody } from './answer-body.ts';
import { Life } from './life.ts';
import { MAYBE_TLS } from './plain-to-tls.ts';
import type { Pool } from './pool.ts';
import { sendBody, type HttpBody } from './send-body.ts';
import type { Target } from './target.ts';

/** One call. */
export interface HttpCall {
  method: 'DELETE' | 'GET' | 'HEAD' | 'POST' | 'PUT';
  target: Target;
  headers?: Record<string, string> | undefined;
  body?: HttpBody | undefined;
}

/** How a call is made. Times in milliseconds. */
export interface HttpWay {
  clock: Clock;
  /** Default: a connection for this call alone. */
  pool?: Pool | undefined;
  /** The address that it is sent from. Default: the system chooses. */
  localAddress?: string | undefined;
  /** PEM text of the CA of the other side. Default: those that Node.js knows. */
  ca?: string | undefined;
  /** Any certificate will do. Default: no, whatever the environment says. */
  insecure?: boolean | undefined;
  /** Until TCP and TLS stand, the search for addresses included. */
  connectMs: number;
  /** Until the next piece of the body is taken, until the head of the answer, and see `answerBody`. */
  silenceMs: number;
  /** Breaks the call off, with its reason. */
  signal?: AbortSignal | undefined;
}

/** An answer whose head is there. */
export interface HttpAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  incoming: http.IncomingMessage;
  /** To be read to its end, or ended: that is the end of the exchange, and of a limit on it. */
  body: AsyncGenerator<Buffer, void>;
  /** For a body that nobody reads: ends the exchange, and its connection. */
  end: () => void;
}

/**
 * Sends one call; resolves when the head of the answer is there. Whatever the other side sends, and
 * whatever Node.js makes of it, the call and each piece of its body settle within their limits, and
 * a call that was broken off leaves no connection behind.
 *
 * @throws NoAnswer when no complete answer comes; what the body throws if that fails.
 */
export async function send(call: HttpCall, way: HttpWay): Promise<HttpAnswer> {
  const { clock, connectMs, silenceMs, signal } = way;
  const life = new Life(signal);
  const silent = (): Error => new Error(`no sign of life for ${silenceMs / 1000} s`);
  const connected = clock.after(connectMs, () => {
    life.break(new Error(`no connection within ${connectMs / 1000} s`));
  });
  life.onBreak(connected);
  try {
    const dial = await life.whole(dialOptions(call.target.host, { limitMs: connectMs, clock }));
    const outgoing = open(call, way, dial);
    life.onBreak(() => void outgoing.destroy());
    outgoing.once('socket', (socket) => {
      if (outgoing.reusedSocket) connected();
      else socket.once(call.target.secure ? 'secureConnect' : 'connect', connected);
    });
    const answer = answerTo(outgoing, life);
    await sendBody(call.body, outgoing, answer, { life, clock, silenceMs });
    const incoming = await life.guard(clock, silenceMs, answer, silent);
    const { statusCode: status = 0, headers } = incoming;
    const end = (): void => {
      life.end();
      // Of a connection with half an answer, or half a body, nothing more can come.
      if (!incoming.readableEnded || !outgoing.writableFinished) incoming.destroy();
    };
    return { status, headers, incoming, body: answerBody(incoming, life, way, end), end };
  } catch (error) {
    life.break(error);
    throw error;
  } finally {
    connected();
  }
}

function open(
  { method, target, headers }: HttpCall,
  way: HttpWay,
  dial: DialOptions,
): http.ClientRequest {
  const { pool, localAddress, ca, insecure = false } = way;
  return (target.secure ? https : http).request({
    ...dial,
    host: target.host,
    port: target.port,
    path: target.path,
    method,
    headers,
    agent: pool?.agent(target.secure) ?? false,
    localAddress,
    family: localAddress === undefined ? undefined : isIPv6(localAddress) ? 6 : 4,
    ...(target.secure ? { ca, rejectUnauthorized: !insecure } : {}),
  });
}

/** The head of the answer. Whatever else ends the call breaks its life. */
function answerTo(outgoing: http.ClientRequest, life: Life): Promise<http.IncomingMessage> {
  let hasSpoken = false;
  let socket: Socket | undefined;
  outgoing.once('information', () => void (hasSpoken = true));
  outgoing.once('socket', (made) => {
    socket = made;
  });
  // Not once: one more error may follow the first.
  outgoing.on('error', (error) => {
    const isHttpPeer = hasSpoken || outgoing.reusedSocket;
    life.break(isHttpPeer ? ofHttpPeer(error) : (endedUnheard(error, socket) ?? error));
  });
  outgoing.once('upgrade', (_answer, socket) => {
    socket.on('error', () => undefined).destroy();
    life.break(otherProtocol());
  });
  return new Promise((resolve) => {
    let isThere = false;
    outgoing.once('response', (incoming) => {
      isThere = true;
      incoming.on('error', () => undefined); // its reader hears of it too, if there is one
      // With a header that says so Node.js calls it an upgrade, and without one an answer.
      if (incoming.statusCode === 101) life.break(otherProtocol());
      else resolve(incoming);
    });
    outgoing.once('close', () => {
      if (!isThere) life.break(new Error('it closed the connection without an answer'));
    });
  });
}

/**
 * Of a peer that has spoken HTTP on this connection: what is no HTTP then is a broken answer, and does not say
 * that the peer is something else (see `wrongPeer`).
 */
function ofHttpPeer(error: Error): Error {
  if (!codeOf(error)?.startsWith('HPE_')) return error;
  return new Error(`its answer is broken: ${error.message}`, { cause: error });
}

/** The error for a connection without TLS that the other side ended before it said anything. */
function endedUnheard(error: unknown, socket: Socket | undefined): Error | null {
  const code = codeOf(error);
  if (code !== 'ECONNRESET' && code !== 'EPIPE') return null;
  if (socket === undefined || 'encrypted' in socket || socket.connecting) return null;
  if (socket.bytesRead > 0) return null;
  const what = `${messageOf(error)} before it said anything; ${MAYBE_TLS}`;
  return Object.assign(new Error(what, { cause: error }), { code });
}

function otherProtocol(): Error {
  return new Error('it wants to speak another protocol (status 101)');
}
