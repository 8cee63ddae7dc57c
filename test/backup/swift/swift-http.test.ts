import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import {
  bodyOf,
  exchange,
  type SwiftCall,
  type SwiftTransport,
} from '../../../src/backup/swift/swift-http.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { deferred } from '../../helpers/deferred.ts';

const SECRET = 'gAAAA-secret-token';
const UNANSWERED = { name: 'SwiftError', status: null, retryable: true };

/** Listens until the test is over. @returns the URL of an object. */
async function listening(server: net.Server): Promise<URL> {
  await new Promise<void>((go) => server.listen(0, '127.0.0.1', go));
  onTestFinished(() => void server.close());
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/AUTH_x/c/o`);
}

/** A Swift that does with every call what the test says; it asks for no body by itself. */
async function swift(onCall: http.RequestListener): Promise<URL> {
  const server = http.createServer(onCall);
  server.on('checkContinue', onCall);
  onTestFinished(() => server.closeAllConnections());
  return listening(server);
}

function transport(change: Partial<SwiftTransport> = {}): SwiftTransport {
  const agent = new http.Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  return {
    ...{ agent, clock: systemClock, ca: undefined, insecure: false, signal: undefined },
    connectTimeoutMs: 10_000,
    silenceTimeoutMs: 60_000,
    ...change,
  };
}

function head(url: URL): SwiftCall {
  return { what: 'Swift: HEAD c/o', method: 'HEAD', url, headers: { 'X-Auth-Token': SECRET } };
}

function get(url: URL): SwiftCall {
  return { ...head(url), what: 'Swift: GET c/o', method: 'GET' };
}

/** A call with a body that is made on the way. */
function put(url: URL, body: SwiftCall['body']): SwiftCall {
  const headers = { 'Transfer-Encoding': 'chunked', Expect: '100-continue' };
  return { what: 'Swift: PUT c/o', method: 'PUT', url, headers, body };
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
    const url = await swift((request, response) => {
      response.writeContinue();
      void buffer(request).then((bytes) => {
        got.resolve(bytes.toString());
        response.writeHead(201).end();
      });
    });
    const answer = await exchange(put(url, hello()), transport({ clock: new ManualClock() }));
    expect(answer.statusCode).toBe(201);
    expect(await got.promise).toBe('hello');
  });

  it('is sent unasked when Swift does not ask for a while', async () => {
    const clock = new ManualClock();
    const called = deferred();
    const url = await swift((request, response) => {
      called.resolve();
      void buffer(request).then((bytes) => response.writeHead(201, { etag: String(bytes) }).end());
    });
    const answer = exchange(put(url, hello()), transport({ clock }));
    await called.promise;
    await clock.advance(2_000);
    expect((await answer).headers.etag).toBe('hello');
  });

  it('is not begun when Swift refuses at once', async () => {
    const url = await swift((_, response) => void response.writeHead(507).end());
    const { state, body } = endless();
    const answer = await exchange(put(url, body), transport({ clock: new ManualClock() }));
    expect(answer.statusCode).toBe(507);
    expect(state.made).toBe(0);
  });

  it('is ended when Swift refuses in the middle, and the refusal is heard', async () => {
    const url = await swift((request, response) => {
      response.writeContinue();
      request.once('data', () => response.writeHead(413).end());
    });
    const { state, body } = endless();
    const answer = await exchange(put(url, body), transport());
    expect(answer.statusCode).toBe(413);
    expect(state.ended).toBe(true);
  });

  it('that fails makes the call fail with its own error, and the connection end', async () => {
    const cut = deferred();
    const url = await swift((request, response) => {
      response.writeContinue();
      request.resume().on('error', () => cut.resolve());
    });
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.alloc(10));
      throw new Error('the disk cannot be read');
    }
    await expect(exchange(put(url, broken()), transport())).rejects.toThrow(
      /^the disk cannot be read$/,
    );
    await cut.promise;
  });

  it('that Swift takes nothing of any more is given up and ended', async () => {
    const clock = new ManualClock();
    const taken = deferred();
    const url = await swift((request, response) => {
      response.writeContinue();
      request.once('readable', () => taken.resolve());
    });
    const { state, body } = endless();
    const answer = exchange(put(url, body), transport({ clock, silenceTimeoutMs: 7_000 }));
    answer.catch(() => undefined);
    await taken.promise;
    while (!state.ended) await clock.advance(7_000);
    await expect(answer).rejects.toMatchObject(UNANSWERED);
    await expect(answer).rejects.toThrow('Swift: PUT c/o: no sign of life for 7 s');
  });
});

describe('no answer', () => {
  it('because nobody listens', async () => {
    const call = exchange(head(new URL('http://127.0.0.1:1/v1/AUTH_x')), transport());
    await expect(call).rejects.toMatchObject(UNANSWERED);
    await expect(call).rejects.toThrow(/^Swift: HEAD c\/o: no complete answer: .*ECONNREFUSED/);
    await expect(call).rejects.not.toThrow(SECRET);
  });

  it('because Swift says nothing; a call that keeps it busy gives it longer', async () => {
    const clock = new ManualClock();
    const calls: string[] = [];
    const url = await swift(({ method = '' }) => void calls.push(method));
    const called = async (method: string): Promise<void> => {
      await expect.poll(() => calls).toContain(method);
      await clock.advance(60_000);
    };
    const silent = exchange(head(url), transport({ clock }));
    silent.catch(() => undefined);
    await called('HEAD');
    await expect(silent).rejects.toThrow('no sign of life for 60 s');

    let ended = false;
    const busy = exchange({ ...get(url), silenceTimeoutMs: 600_000 }, transport({ clock }));
    busy.catch(() => (ended = true));
    await called('GET');
    expect(ended).toBe(false);
    await clock.advance(540_000);
    await expect(busy).rejects.toThrow('no sign of life for 600 s');
  });

  it('because TLS never stands', async () => {
    const clock = new ManualClock();
    const connected = deferred();
    const url = await listening(net.createServer(() => connected.resolve()));
    url.protocol = 'https:';
    const call = exchange(head(url), {
      ...transport({ clock }),
      agent: https.globalAgent,
    });
    call.catch(() => undefined);
    await connected.promise;
    await clock.advance(10_000);
    await expect(call).rejects.toMatchObject(UNANSWERED);
    await expect(call).rejects.toThrow('no connection within 10 s');
  });

  it('because it does not speak TLS on that port: trying again cannot help', async () => {
    const url = await swift((_, response) => void response.end());
    url.protocol = 'https:';
    const agent = https.globalAgent;
    const call = exchange(head(url), { ...transport(), agent });
    await expect(call).rejects.toMatchObject({ ...UNANSWERED, retryable: false });
    await expect(call).rejects.toThrow('it does not speak TLS on this port');
  });

  it('because the caller has given up: the reason is told', async () => {
    const called = deferred();
    const url = await swift(() => called.resolve());
    const giveUp = new AbortController();
    const call = exchange(head(url), transport({ signal: giveUp.signal }));
    call.catch(() => undefined);
    await called.promise;
    giveUp.abort(new Error('the agent stops'));
    await expect(call).rejects.toThrow('Swift: HEAD c/o: no complete answer: the agent stops');
  });
});

describe('the body of an answer', () => {
  it('comes piece by piece, and the connection is used again after it', async () => {
    const ports = new Set<number | undefined>();
    const url = await swift((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('0123456789');
    });
    const way = transport({ clock: new ManualClock() });
    for (let times = 0; times < 3; times++) {
      const pieces: Buffer[] = [];
      const incoming = await exchange(get(url), way);
      for await (const piece of bodyOf(incoming, get(url), way)) pieces.push(piece);
      expect(Buffer.concat(pieces).toString()).toBe('0123456789');
    }
    expect(ports.size).toBe(1);
  });

  it('that is cut off is no complete answer', async () => {
    const url = await swift((_, response) => {
      response.writeHead(200, { 'Content-Length': 500_000 });
      response.write(Buffer.alloc(1000), () => response.destroy());
    });
    const way = transport();
    const read = buffer(bodyOf(await exchange(get(url), way), get(url), way));
    await expect(read).rejects.toMatchObject(UNANSWERED);
    await expect(read).rejects.toThrow('Swift: GET c/o: no complete answer');
  });

  it('that stops coming is given up, and its connection ends', async () => {
    const clock = new ManualClock();
    const closed = deferred();
    const url = await swift((_, response) => {
      response.once('close', () => closed.resolve());
      response.writeHead(200, { 'Content-Length': 10 }).write('01234');
    });
    const way = transport({ clock, silenceTimeoutMs: 5_000 });
    const pieces = bodyOf(await exchange(get(url), way), get(url), way);
    expect(String((await pieces.next()).value)).toBe('01234');
    const more = pieces.next();
    more.catch(() => undefined);
    await clock.advance(5_000);
    await expect(more).rejects.toThrow('Swift: GET c/o: no sign of life for 5 s');
    await closed.promise;
  });

  it('that is not read to its end ends the connection', async () => {
    const closed = deferred();
    const url = await swift((_, response) => {
      response.once('close', () => closed.resolve());
      response.writeHead(200, { 'Content-Length': 10 }).write('01234');
    });
    const way = transport();
    for await (const piece of bodyOf(await exchange(get(url), way), get(url), way)) {
      expect(piece.length).toBe(5);
      break;
    }
    await closed.promise;
  });
});
