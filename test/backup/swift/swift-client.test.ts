import type http from 'node:http';
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
    const rest = await client.get('c', 'o', 7);
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
    expect(await client.list('c', 'a b_')).toEqual([{ name: 'a b_1', bytes: 1, hash: md5('x') }]);
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

it('a refusal of a manifest says which segment is wrong', async () => {
  const client = clientOf(await swiftWithContainer());
  const segments = [{ path: 'c/none', etag: 'x', size_bytes: 2 }];
  await expect(client.putManifest('c', 'o', segments)).rejects.toThrow(
    /400 \(Errors: c\/none, Etag Mismatch\)/,
  );
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
