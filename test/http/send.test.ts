import { getEventListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import type http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HttpBody } from '../../src/http/send-body.ts';
import { send, type HttpAnswer, type HttpCall } from '../../src/http/send.ts';
import { wrongPeer } from '../../src/http/wrong-peer.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { deferred } from '../helpers/deferred.ts';
import { until } from '../helpers/until.ts';
import { get, head, listening, NO_ANSWER, serving, way } from './http-server.ts';

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

describe('what is no HTTP', () => {
  /** Says one text after the other, each when it has heard something. */
  const saying = (...texts: string[]): Promise<string> =>
    listening(
      net.createServer((socket) => {
        const left = [...texts];
        socket.on('error', () => undefined).on('data', () => void socket.write(left.shift() ?? ''));
        onTestFinished(() => void socket.destroy());
      }),
    );
  const whyNot = async (
    answer: Promise<HttpAnswer>,
  ): Promise<{ message: string; cause: unknown }> => {
    const error: unknown = await answer.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    return error as { message: string; cause: unknown };
  };

  it('is another peer when it comes first', async () => {
    const url = await saying('220 mail.example ESMTP\r\n');
    const { cause } = await whyNot(send(get(url), way()));
    expect(wrongPeer(cause)).toContain('is no HTTP server');
  });

  it('is a broken answer on a connection that is used again', async () => {
    const url = await saying('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', '220 mail\r\n');
    const same = way();
    const { body } = await send(get(url), same);
    await buffer(body);
    const { message, cause } = await whyNot(send(get(url), same));
    expect(message).toContain('its answer is broken');
    expect(wrongPeer(cause)).toBeNull();
  });

  it('is a broken answer after one that said to go on', async () => {
    const url = await saying('HTTP/1.1 100 Continue\r\n\r\n', '220 mail\r\n');
    const { message, cause } = await whyNot(send(put(url, endless().body), way()));
    expect(message).toContain('its answer is broken');
    expect(wrongPeer(cause)).toBeNull();
  });
});

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

describe('an answer whose body nobody reads', () => {
  it.each([
    ['has come', '0123456789'],
    ['has not come', undefined],
  ])('and that %s is ended: its connection, and what waits for an abort', async (_what, body) => {
    const closed = deferred();
    const url = await serving((_, response) => {
      response.socket?.once('close', () => closed.resolve());
      if (body !== undefined) response.end(body);
      else response.writeHead(200, { 'Content-Length': 10 }).flushHeaders();
    });
    const { signal } = new AbortController();
    const { incoming, end } = await send(get(url), way({ signal }));
    if (body !== undefined) await until('it is complete', () => incoming.complete);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    end();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await closed.promise;
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
