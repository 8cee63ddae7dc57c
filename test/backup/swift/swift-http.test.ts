import type http from 'node:http';
import { buffer } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import {
  exchange,
  type SwiftCall,
  type SwiftTransport,
} from '../../../src/backup/swift/swift-http.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { Pool } from '../../../src/http/pool.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { serving } from '../../http/http-server.ts';

const SECRET = 'gAAAA-secret-token';
const UNANSWERED = { name: 'SwiftError', status: null, retryable: true };

/** A Swift that does with every call what the test says. @returns the URL of an object. */
async function swift(onCall: http.RequestListener): Promise<URL> {
  return new URL(await serving(onCall));
}

function transport(change: Partial<SwiftTransport> = {}): SwiftTransport {
  const pool = new Pool();
  onTestFinished(() => pool.close());
  return {
    pool,
    clock: systemClock,
    ca: undefined,
    insecure: false,
    signal: undefined,
    connectTimeoutMs: 10_000,
    silenceTimeoutMs: 60_000,
    ...change,
  };
}

function get(url: URL): SwiftCall {
  return { what: 'Swift: GET c/o', method: 'GET', url, headers: { 'X-Auth-Token': SECRET } };
}

it('no answer is an error of the call, without its token', async () => {
  const call = exchange(get(new URL('http://127.0.0.1:1/v1/AUTH_x')), transport());
  await expect(call).rejects.toMatchObject(UNANSWERED);
  await expect(call).rejects.toThrow(/^Swift: GET c\/o: no complete answer: .*ECONNREFUSED/);
  await expect(call).rejects.not.toThrow(SECRET);
});

it('an answer that is cut off is none', async () => {
  const url = await swift((_, response) => {
    response.writeHead(200, { 'Content-Length': 500_000 });
    response.write(Buffer.alloc(1000), () => response.destroy());
  });
  const read = buffer((await exchange(get(url), transport())).body);
  await expect(read).rejects.toMatchObject(UNANSWERED);
  await expect(read).rejects.toThrow('Swift: GET c/o: no complete answer');
});

it('a call that keeps Swift busy gives it longer', async () => {
  const clock = new ManualClock();
  let isCalled = false;
  let isOver = false;
  const url = await swift(() => (isCalled = true));
  const busy = exchange({ ...get(url), silenceTimeoutMs: 600_000 }, transport({ clock }));
  busy.catch(() => (isOver = true));
  await expect.poll(() => isCalled).toBe(true);
  await clock.advance(599_000);
  expect(isOver).toBe(false);
  await clock.advance(1_000);
  await expect(busy).rejects.toThrow('no sign of life for 600 s');
});

it('a port that does not speak TLS stays one: trying again cannot help', async () => {
  const url = await swift((_, response) => void response.end());
  url.protocol = 'https:';
  const call = exchange(get(url), transport());
  await expect(call).rejects.toMatchObject({ ...UNANSWERED, retryable: false });
  await expect(call).rejects.toThrow('it does not speak TLS on this port');
});

it('what the body of a call throws is its own error', async () => {
  const url = await swift((request) => void request.resume());
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.alloc(10));
    throw new Error('the disk cannot be read');
  }
  const headers = { 'Transfer-Encoding': 'chunked' };
  const clock = {
    ...systemClock,
    after: (ms: number, run: () => void) => systemClock.after(ms / 100, run),
  };
  const call: SwiftCall = { ...get(url), method: 'PUT', headers, body: broken() };
  await expect(exchange(call, transport({ clock }))).rejects.toThrow(/^the disk cannot be read$/);
});
