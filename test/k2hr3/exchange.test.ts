import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { exchange, type HttpOptions, type HttpRequest } from '../../src/k2hr3/exchange.ts';
import { parseTarget, type Target } from '../../src/http/target.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { deferred } from '../helpers/deferred.ts';
import { answering } from '../http/http-server.ts';

/** A server that answers with this status and text, or never; also the calls it got. */
async function server(status: number | null, body = '') {
  const calls: IncomingMessage[] = [];
  const sources: (string | undefined)[] = [];
  const arrived = deferred();
  const url = await answering((incoming, outgoing) => {
    calls.push(incoming);
    sources.push(incoming.socket.remoteAddress);
    arrived.resolve();
    if (status !== null) outgoing.writeHead(status, { 'x-who': 'k2hr3' }).end(body);
  });
  return { url, calls, sources, arrived: arrived.promise };
}

const never = new AbortController().signal;

function send(
  call: HttpRequest,
  options: Partial<HttpOptions> = {},
  signal: AbortSignal = never,
): ReturnType<typeof exchange> {
  return exchange(
    parseTarget(call.url) as Target,
    call,
    { clock: new ManualClock(), ...options },
    signal,
  );
}

it('sends method, headers and path as they are written', async () => {
  const { url, calls } = await server(200);
  const path = '/v1/role/yrn:yahoo:::demo:role:a%2Fb/../c?x=%2F&y=a:b';
  await send({ method: 'PUT', url: url + path, headers: { 'x-auth-token': 'R=1' } });
  expect(calls[0]).toMatchObject({ method: 'PUT', url: path });
  expect(calls[0]?.headers['x-auth-token']).toBe('R=1');
});

it.each([200, 404, 500])('hands back an answer with status %i', async (status) => {
  const { url } = await server(status, 'text');
  expect(await send({ method: 'GET', url })).toMatchObject({
    origin: url,
    status,
    headers: { 'x-who': 'k2hr3' },
    body: 'text',
  });
});

it('calls from the address it is given', async () => {
  const { url, sources } = await server(200);
  await send({ method: 'GET', url }, { localAddress: '127.0.0.31' });
  expect(sources).toEqual(['127.0.0.31']);
});

it('accepts no longer body than it is told', async () => {
  const { url } = await server(200, 'four');
  expect((await send({ method: 'GET', url }, { maxBodyBytes: 4 })).body).toBe('four');
  const call = send({ method: 'GET', url }, { maxBodyBytes: 3 });
  await expect(call).rejects.toMatchObject({ kind: 'invalid-answer' });
});

it('limits the time until it is connected, not the time until the answer', async () => {
  const clock = new ManualClock();
  const { url, arrived } = await server(null);
  const caller = new AbortController();
  const call = send({ method: 'GET', url }, { clock, connectTimeoutMs: 100 }, caller.signal);
  await arrived;
  await clock.advance(1000);
  caller.abort(new Error('enough'));
  await expect(call).rejects.toMatchObject({ name: 'NoAnswer', message: 'enough' });
});

it('gives up when it is not connected in time', async () => {
  const clock = new ManualClock();
  const { url } = await server(null);
  const secure = url.replace('http:', 'https:'); // it never answers the hello of TLS
  const call = send({ method: 'GET', url: secure }, { clock, connectTimeoutMs: 100 });
  const outcome = expect(call).rejects.toThrow('no connection within 0.1 s');
  await clock.advance(100);
  await outcome;
});

it('leaves no timer behind', async () => {
  const running = new Set<() => void>();
  const clock = new ManualClock();
  clock.after = (_, run) => {
    running.add(run);
    return () => running.delete(run);
  };
  const { url } = await server(200);
  await send({ method: 'GET', url }, { clock });
  await send({ method: 'GET', url: 'http://127.0.0.1:1' }, { clock }).catch(() => undefined);
  await expect.poll(() => running.size).toBe(0);
});
