import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { Pool } from '../../src/http/pool.ts';
import type { HttpBody } from '../../src/http/send-body.ts';
import { send, type HttpAnswer, type HttpCall, type HttpWay } from '../../src/http/send.ts';
import { parseTarget, type Target } from '../../src/http/target.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { WatchedClock } from '../base/watched-clock.ts';
import { deferred } from '../helpers/deferred.ts';

const NO_ANSWER = { name: 'NoAnswer', retryable: true };

/** Listens until the test is over. @returns the URL of an object. */
async function listening(server: net.Server): Promise<string> {
  await new Promise<void>((go) => server.listen(0, '127.0.0.1', go));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/AUTH_x/c/o`;
}

/** A server that does with every call what the test says; it asks for no body by itself. */
async function serving(onCall: http.RequestListener): Promise<string> {
  const server = http.createServer(onCall);
  server.on('checkContinue', onCall);
  onTestFinished(() => server.closeAllConnections());
  return listening(server);
}

function way(change: Partial<HttpWay> = {}): HttpWay {
  const pool = new Pool();
  onTestFinished(() => pool.close());
  return { pool, clock: systemClock, connectMs: 10_000, silenceMs: 60_000, ...change };
}

function head(url: string): HttpCall {
  return { method: 'HEAD', target: parseTarget(url) as Target };
}

function get(url: string): HttpCall {
  return { ...head(url), method: 'GET' };
}

/** A call with a body that is made on the way. */
function put(url: string, body: HttpBody): HttpCall {
  const headers = { 'Transfer-Encoding': 'chunked', Expect: '100-continue' };
  return { ...head(url), method: 'PUT', headers, body };
}

/** Nobody waits for it yet. */
function quiet(answer: Promise<HttpAnswer>): Promise<HttpAnswer> {
  answer.catch(() => undefined);
  return answer;
}

/** Pieces without end that count themselves, and say when they are ended. */
function endless() {
  const state = { made: 0, ended: false };
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield await Promise.resolve(Buffer.alloc(100_000, state.made++));
    } finally {
      state.ended = true;
    }
  }
  return { state, body: pieces() };
}

describe('a body', () => {
  async function* hello(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from('hel'));
    yield Buffer.from('lo');
  }

  it('is sent when Swift asks for it', async () => {
    const got = deferred<string>();
    const url = await serving((request, response) => {
      response.writeContinue();
      void buffer(request).then((bytes) => {
        got.resolve(bytes.toString());
        response.writeHead(201).end();
      });
    });
    const answer = await send(put(url, hello()), way({ clock: new ManualClock() }));
    expect(answer.status).toBe(201);
    expect(await got.promise).toBe('hello');
  });

  it('is sent unasked when Swift does not ask for a while', async () => {
    const clock = new ManualClock();
    const called = deferred();
    const url = await serving((request, response) => {
      called.resolve();
      void buffer(request).then((bytes) => response.writeHead(201, { etag: String(bytes) }).end());
    });
    const answer = send(put(url, hello()), way({ clock }));
    await called.promise;
    await clock.advance(2_000);
    expect((await answer).headers.etag).toBe('hello');
  });

  it('is not begun when Swift refuses at once', async () => {
    const url = await serving((_, response) => void response.writeHead(507).end());
    const { state, body } = endless();
    const answer = await send(put(url, body), way({ clock: new ManualClock() }));
    expect(answer.status).toBe(507);
    expect(state.made).toBe(0);
  });

  it('is ended when Swift refuses in the middle, and the refusal is heard', async () => {
    const url = await serving((request, response) => {
      response.writeContinue();
      request.once('data', () => response.writeHead(413).end());
    });
    const { state, body } = endless();
    const answer = await send(put(url, body), way());
    expect(answer.status).toBe(413);
    expect(state.ended).toBe(true);
  });

  it('that fails makes the call fail with its own error, and the connection end', async () => {
    const cut = deferred();
    const url = await serving((request, response) => {
      response.writeContinue();
      request.resume().on('error', () => cut.resolve());
    });
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.alloc(10));
      throw new Error('the disk cannot be read');
    }
    await expect(send(put(url, broken()), way())).rejects.toThrow(/^the disk cannot be read$/);
    await cut.promise;
  });

  it('that Swift takes nothing of any more is given up and ended', async () => {
    const clock = new ManualClock();
    const taken = deferred();
    const url = await serving((request, response) => {
      response.writeContinue();
      request.once('readable', () => taken.resolve());
    });
    const { state, body } = endless();
    const answer = send(put(url, body), way({ clock, silenceMs: 7_000 }));
    answer.catch(() => undefined);
    await taken.promise;
    while (!state.ended) await clock.advance(7_000);
    await expect(answer).rejects.toMatchObject(NO_ANSWER);
    await expect(answer).rejects.toThrow('it took nothing for 7 s');
  });
});

describe('no answer', () => {
  it('because nobody listens', async () => {
    const call = send(head('http://127.0.0.1:1/'), way());
    await expect(call).rejects.toMatchObject({ ...NO_ANSWER, cause: { code: 'ECONNREFUSED' } });
  });

  it('because nobody knows the name', async () => {
    const call = send(head('http://no-such-host.invalid/'), way());
    await expect(call).rejects.toMatchObject({ ...NO_ANSWER, cause: { syscall: 'getaddrinfo' } });
  });

  it('because nothing is said', async () => {
    const clock = new ManualClock();
    const called = deferred();
    const url = await serving(() => called.resolve());
    const silent = quiet(send(head(url), way({ clock })));
    await called.promise;
    await clock.advance(60_000);
    await expect(silent).rejects.toThrow('no sign of life for 60 s');
  });

  it('because TLS never stands', async () => {
    const clock = new ManualClock();
    const connected = deferred();
    const url = await listening(net.createServer(() => connected.resolve()));
    const call = quiet(send(head(url.replace('http:', 'https:')), way({ clock })));
    await connected.promise;
    await clock.advance(10_000);
    await expect(call).rejects.toMatchObject(NO_ANSWER);
    await expect(call).rejects.toThrow('no connection within 10 s');
  });

  it('because the caller has given up: the reason is told, and the connection ends', async () => {
    const called = deferred<http.IncomingMessage>();
    const url = await serving((request) => called.resolve(request));
    const giveUp = new AbortController();
    const call = quiet(send(head(url), way({ signal: giveUp.signal })));
    const { socket } = await called.promise;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    giveUp.abort(new Error('the agent stops'));
    await expect(call).rejects.toThrow('the agent stops');
    await closed;
  });

  it('because the caller had given up before', async () => {
    const signal = AbortSignal.abort(new Error('the agent stops'));
    await expect(send(head('http://127.0.0.1:1/'), way({ signal }))).rejects.toThrow(
      'the agent stops',
    );
  });
});

it('trusts no certificate because the environment says so', async () => {
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  onTestFinished(() => {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
  });
  const pem = (name: string): string =>
    readFileSync(new URL(`../fixtures/k2hr3/tls-${name}.pem`, import.meta.url), 'utf8');
  const server = https.createServer({ key: pem('key'), cert: pem('cert') }, (_, response) =>
    response.end(),
  );
  const url = (await listening(server)).replace('http:', 'https:');
  onTestFinished(() => server.closeAllConnections());
  await expect(send(head(url), way())).rejects.toMatchObject({
    cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
  });
  expect((await send(head(url), way({ ca: pem('cert') }))).status).toBe(200);
  expect((await send(head(url), way({ insecure: true }))).status).toBe(200);
});

describe('the body of an answer', () => {
  it('comes piece by piece, and the connection is used again after it', async () => {
    const ports = new Set<number | undefined>();
    const url = await serving((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('0123456789');
    });
    const again = way();
    for (let times = 0; times < 3; times++) {
      expect(String(await buffer((await send(get(url), again)).body))).toBe('0123456789');
    }
    expect(ports.size).toBe(1);
  });

  it('that has ended is past any abort, whose signal no connection keeps', async () => {
    const url = await serving((_, response) => void response.end('0123456789'));
    const pool = new Pool();
    onTestFinished(() => pool.close());
    for (let times = 0; times < 20; times++) {
      const giveUp = new AbortController();
      const { body, incoming } = await send(get(url), way({ pool, signal: giveUp.signal }));
      // In the same tick: an error without a listener would end this process.
      incoming.once('end', () => giveUp.abort(new Error('the agent stops')));
      await buffer(body).catch(() => undefined);
    }
    expect((await send(get(url), way({ pool }))).status).toBe(200);
  });

  it('that is cut off is no complete answer', async () => {
    const url = await serving((_, response) => {
      response.writeHead(200, { 'Content-Length': 500_000 });
      response.write(Buffer.alloc(1000), () => response.destroy());
    });
    const read = buffer((await send(get(url), way())).body);
    await expect(read).rejects.toMatchObject({ ...NO_ANSWER, cause: { code: 'ECONNRESET' } });
  });

  /** An answer that says half of what it announces, and when its connection has ended. */
  async function half(change: Partial<HttpWay> = {}) {
    const closed = deferred();
    const url = await serving((_, response) => {
      response.once('close', () => closed.resolve());
      response.writeHead(200, { 'Content-Length': 10 }).write('01234');
    });
    return { ...(await send(get(url), way(change))), closed: closed.promise };
  }

  it('that stops coming is given up, and its connection ends', async () => {
    const clock = new ManualClock();
    const { body, closed } = await half({ clock, silenceMs: 5_000 });
    expect(String((await body.next()).value)).toBe('01234');
    const more = body.next();
    more.catch(() => undefined);
    await clock.advance(5_000);
    await expect(more).rejects.toThrow('only 5 bytes in 5 s');
    await closed;
  });

  it('that comes by the byte is given up too', async () => {
    const clock = new WatchedClock();
    const said: http.ServerResponse[] = [];
    const url = await serving((_, response) => {
      response.writeHead(200, { 'Content-Length': 1_000_000 }).flushHeaders();
      said.push(response);
    });
    const { body } = await send(get(url), way({ clock }));
    for (let bytes = 1; bytes <= 3; bytes++) {
      const next = body.next();
      await clock.untilWaiting();
      await clock.advance(19_000);
      said[0]?.write('x');
      expect((await next).value).toHaveLength(1);
    }
    const next = body.next();
    next.catch(() => undefined);
    await clock.advance(3_000);
    await expect(next).rejects.toThrow('only 3 bytes in 60 s');
  });

  it('gets the time for the next 64 KiB when they have come; that of its reader is free', async () => {
    const clock = new WatchedClock();
    const said: http.ServerResponse[] = [];
    const url = await serving((_, response) => {
      response.writeHead(200, { 'Content-Length': 1_000_000 }).flushHeaders();
      said.push(response);
    });
    const { body } = await send(get(url), way({ clock }));
    for (let times = 0; times < 3; times++) {
      let bytes = 0;
      const first = body.next();
      await clock.untilWaiting();
      await clock.advance(50_000);
      said[0]?.write(Buffer.alloc(64 * 1024));
      bytes += (await first).value?.length ?? 0;
      while (bytes < 64 * 1024) bytes += (await body.next()).value?.length ?? 0;
      await clock.advance(600_000);
    }
    await body.return();
  });

  it('that is not read to its end ends the connection', async () => {
    const { body, closed } = await half();
    for await (const piece of body) {
      expect(piece.length).toBe(5);
      break;
    }
    await closed;
  });
});
