import http from 'node:http';
import type net from 'node:net';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { Pool } from '../../src/http/pool.ts';
import type { HttpCall, HttpWay } from '../../src/http/send.ts';
import { parseTarget, type Target } from '../../src/http/target.ts';

export const NO_ANSWER = { name: 'NoAnswer', retryable: true };

/** Listens until the test is over. @returns `http://host:port`. */
export async function listening(server: net.Server): Promise<string> {
  await new Promise<void>((go) => server.listen(0, '127.0.0.1', go));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/**
 * A server that does with every call what the test says; it asks for no body and ends no connection by
 * itself. @returns `http://host:port`.
 */
export async function answering(onCall: http.RequestListener): Promise<string> {
  const server = http.createServer({ keepAliveTimeout: 0 }, onCall);
  server.on('checkContinue', onCall);
  onTestFinished(() => server.closeAllConnections());
  return listening(server);
}

/** As `answering`. @returns the URL of an object. */
export async function serving(onCall: http.RequestListener): Promise<string> {
  return `${await answering(onCall)}/v1/AUTH_x/c/o`;
}

export function way(change: Partial<HttpWay> = {}): HttpWay {
  const pool = new Pool();
  onTestFinished(() => pool.close());
  return { pool, clock: systemClock, connectMs: 10_000, silenceMs: 60_000, ...change };
}

export function head(url: string): HttpCall {
  return { method: 'HEAD', target: parseTarget(url) as Target };
}

export function get(url: string): HttpCall {
  return { ...head(url), method: 'GET' };
}
