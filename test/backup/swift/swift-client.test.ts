import type http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { SwiftClient, type SwiftOptions } from '../../../src/backup/swift/swift-client.ts';
import { md5, startMemorySwift, type MemorySwift } from './memory-swift.ts';

function clientOf(
  swift: Pick<MemorySwift, 'storageUrl' | 'token'>,
  options: Partial<SwiftOptions> = {},
): SwiftClient {
  const { storageUrl, token } = swift;
  const client = new SwiftClient({ storageUrl, token, clock: systemClock, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** A Swift with a container `c`. */
async function swiftWithContainer(): Promise<MemorySwift> {
  const swift = await startMemorySwift();
  swift.containers.add('c');
  return swift;
}

async function* pieces(count: number, bytes: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < count; n++) yield Promise.resolve(Buffer.alloc(bytes, n));
}

async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of body) all.push(piece);
  return Buffer.concat(all);
}

describe('objects', () => {
  it('are stored from bytes and from a stream, and say their ETag', async () => {
    const swift = await swiftWithContainer();
    const client = clientOf(swift);
    expect(await client.put('c', 'bytes', Buffer.from('hello'))).toBe(md5('hello'));
    const whole = await bytesOf(pieces(20, 100_000));
    expect(await client.put('c', 'stream', pieces(20, 100_000))).toBe(md5(whole));
    expect(swift.objects.get('c/stream')?.body.equals(whole)).toBe(true);
  });

  it('are read whole, or from a byte on', async () => {
    const client = clientOf(await swiftWithContainer());
    await client.put('c', 'o', Buffer.from('0123456789'));
    const whole = await client.get('c', 'o');
    expect(whole).toMatchObject({ status: 200, bytes: 10, etag: md5('0123456789') });
    expect((await bytesOf(whole.body)).toString()).toBe('0123456789');
    const rest = await client.get('c', 'o', { from: 7 });
    expect(rest.status).toBe(206);
    expect((await bytesOf(rest.body)).toString()).toBe('789');
  });

  it('can be made of segments; the ETag comes without its quotes', async () => {
    const client = clientOf(await swiftWithContainer());
    const etag = await client.put('c', 's_0', Buffer.from('ab'));
    const segments = [{ path: 'c/s_0', etag, size_bytes: 2 }];
    const slo = md5(etag);
    expect(await client.putManifest('c', 'large', segments, { 'X-Object-Meta-a': 'b' })).toBe(slo);
    expect(await client.head('c', 'large')).toMatchObject({ etag: slo, bytes: 2, isSlo: true });
  });

  it('are listed by prefix, and removed once or twice', async () => {
    const client = clientOf(await startMemorySwift());
    expect(await client.list('c', '')).toEqual([]);
    await client.createContainer('c');
    await client.createContainer('c');
    await client.put('c', 'a b_1', Buffer.from('x'));
    await client.put('c', 'other', Buffer.from('x'));
    expect(await client.list('c', 'a b_')).toEqual([{ name: 'a b_1', bytes: 1 }]);
    await client.delete('c', 'a b_1');
    await client.delete('c', 'a b_1');
    expect(await client.list('c', 'a b_')).toEqual([]);
  });

  it('cannot name another container', async () => {
    const swift = await swiftWithContainer();
    await clientOf(swift).put('c', '../d/o', Buffer.from('x'));
    expect([...swift.objects.keys()]).toEqual(['c/../d/o']);
  });
});

describe('a refusal', () => {
  it.each([
    [401, false, /the token has expired or is not valid/],
    [403, false, /roles in the project/],
    [404, false, /no such object or container/],
    [413, false, /largest size or the quota/],
    [422, true, /arrived damaged/],
    [429, true, /: 429, request tx-9/],
    [503, true, /unavailable, or its disks are full/],
    [507, true, /disks are full/],
  ])('of %i says what it means, and whether to try again: %s', async (status, retryable, text) => {
    const swift = await swiftWithContainer();
    swift.fault = (_, response) => {
      response.writeHead(status, { 'X-Trans-Id': 'tx-9' }).end('<html>');
      return 'taken';
    };
    const client = clientOf(swift);
    const calls = [
      client.put('c', 'o', Buffer.from('x')),
      client.put('c', 'o', pieces(50, 100_000)),
      client.get('c', 'o'),
      client.head('c', 'o'),
    ];
    for (const call of calls) {
      await expect(call).rejects.toMatchObject({ name: 'SwiftError', status, retryable });
      await expect(call).rejects.toThrow(text);
      await expect(call).rejects.not.toThrow(swift.token);
    }
  });

  it('of a manifest says which segment is wrong', async () => {
    const client = clientOf(await swiftWithContainer());
    const segments = [{ path: 'c/none', etag: 'x', size_bytes: 2 }];
    await expect(client.putManifest('c', 'o', segments)).rejects.toThrow(
      /400 \(Errors: c\/none, Etag Mismatch\)/,
    );
  });

  it('before the body is over ends the body', async () => {
    const swift = await swiftWithContainer();
    swift.fault = (request, response) => {
      response.writeContinue();
      request.once('data', () => response.writeHead(413).end());
      return 'taken';
    };
    let made = 0;
    let closed = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield await Promise.resolve(Buffer.alloc(100_000, made++));
      } finally {
        closed = true;
      }
    }
    const call = clientOf(swift).put('c', 'o', endless());
    await expect(call).rejects.toMatchObject({ status: 413 });
    expect(closed).toBe(true);
  });
});

describe('no answer', () => {
  const isRetryable = { name: 'SwiftError', status: null, retryable: true };

  it('because nobody listens', async () => {
    const client = clientOf({ storageUrl: 'http://127.0.0.1:1/v1/AUTH_x', token: 'secret-1' });
    const call = client.head('c', 'o');
    await expect(call).rejects.toMatchObject(isRetryable);
    await expect(call).rejects.toThrow(/^Swift at http:\/\/127.0.0.1:1: HEAD c\/o: .*ECONNREFUSED/);
  });

  it('because Swift takes nothing any more', async () => {
    const swift = await swiftWithContainer();
    swift.fault = (request, response) => {
      response.writeContinue();
      request.pause();
      return 'taken';
    };
    const call = clientOf(swift, { silenceTimeoutMs: 200 }).put('c', 'o', pieces(500, 100_000));
    await expect(call).rejects.toMatchObject(isRetryable);
    await expect(call).rejects.toThrow(/no sign of life for 0.2 s/);
  });

  it('because Swift says nothing', async () => {
    const swift = await swiftWithContainer();
    swift.fault = () => 'taken';
    const client = clientOf(swift, { silenceTimeoutMs: 100 });
    await expect(client.head('c', 'o')).rejects.toMatchObject(isRetryable);
  });

  it('because the connection is never made', async () => {
    const server = net.createServer(); // TCP stands, TLS never does
    await new Promise<void>((go) => server.listen(0, '127.0.0.1', go));
    const { port } = server.address() as AddressInfo;
    onTestFinished(() => void server.close());
    const client = clientOf(
      { storageUrl: `https://127.0.0.1:${port}/v1/AUTH_x`, token: 'secret' },
      { connectTimeoutMs: 100 },
    );
    await expect(client.head('c', 'o')).rejects.toThrow(/no connection within 0.1 s/);
  });

  it('because the answer is cut off', async () => {
    const swift = await swiftWithContainer();
    const client = clientOf(swift);
    await client.put('c', 'o', Buffer.alloc(500_000));
    swift.fault = (_, response) => {
      response.writeHead(200, { 'Content-Length': 500_000 });
      response.write(Buffer.alloc(1000), () => response.destroy());
      return 'taken';
    };
    const { body } = await client.get('c', 'o');
    await expect(bytesOf(body)).rejects.toMatchObject(isRetryable);
  });

  it('because the caller has given up', async () => {
    const swift = await swiftWithContainer();
    swift.fault = () => 'taken';
    const giveUp = new AbortController();
    const call = clientOf(swift, { signal: giveUp.signal }).head('c', 'o');
    giveUp.abort(new Error('the agent stops'));
    await expect(call).rejects.toThrow(/the agent stops/);
  });
});

it('a body that fails makes the call fail with its own error, and nothing is stored', async () => {
  const swift = await swiftWithContainer();
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.alloc(10));
    throw new Error('the disk cannot be read');
  }
  await expect(clientOf(swift).put('c', 'o', broken())).rejects.toThrow(/^the disk cannot be read/);
  expect(swift.objects.size).toBe(0);
});

it('connections are used again', async () => {
  const swift = await swiftWithContainer();
  const ports = new Set<number | undefined>();
  swift.fault = (request: http.IncomingMessage) => {
    ports.add(request.socket.remotePort);
    return undefined;
  };
  const client = clientOf(swift);
  for (let n = 0; n < 5; n++) await client.put('c', `o${n}`, pieces(3, 1000));
  await client.list('c', '');
  expect(ports.size).toBe(1);
});
