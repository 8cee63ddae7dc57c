import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { until } from '../helpers/until.ts';
import { SwiftAccount } from '../peers/swift/account.ts';
import { FaultDoor } from '../peers/swift/fault-door.ts';
import { SwiftPeer } from '../peers/swift/swift-peer.ts';

const BODY = randomBytes(300_000);

const md5 = (bytes: Buffer | string): string => createHash('md5').update(bytes).digest('hex');

let swift: SwiftPeer;
let account: SwiftAccount;

beforeAll(async () => {
  swift = await SwiftPeer.start();
  account = await swift.account();
  await account.makeContainer('c');
});

afterAll(() => swift.stop());

describe('fault door', () => {
  let door: FaultDoor;
  let through: SwiftAccount;

  beforeAll(async () => {
    door = await FaultDoor.start(swift.port);
    through = new SwiftAccount(door.url(), account.token);
  });

  afterEach(async () => {
    door.clear();
    door.forget();
    for (const name of await account.names('c')) await account.delete('c', name);
  });

  afterAll(() => door.close());

  const put = (name = 'o', body = BODY): Promise<number> =>
    through.request('PUT', `/c/${name}`, { body }).then(({ status }) => status);

  it('passes everything on as it is, and writes it down', async () => {
    await through.putLarge('c', 'large.gz', BODY, 200_000, { 'X-Object-Meta-Datastore': 'k2hdkc' });
    const got = await through.get('c', 'large.gz');
    expect(md5(got.body)).toBe(md5(BODY));
    expect([...got.headers.keys()].sort()).toEqual(
      [...(await account.get('c', 'large.gz')).headers.keys()].sort(),
    );
    const summary = door.requests.map(({ method, path, status, received, answered, fault }) => {
      return [method, path, status, received, answered, fault];
    });
    const manifest = '/v1/AUTH_test/c/large.gz';
    expect(summary).toEqual([
      ['PUT', '/v1/AUTH_test/c/large_00000000', 201, 200_000, 0, null],
      ['PUT', '/v1/AUTH_test/c/large_00000001', 201, 100_000, 0, null],
      ['PUT', `${manifest}?multipart-manifest=put`, 201, expect.any(Number), 0, null],
      ['GET', manifest, 200, 0, BODY.length, null],
    ]);
    expect(door.requests[2]?.headers['x-object-meta-datastore']).toBe('k2hdkc');
  });

  it.each([
    { when: 'before-body', status: 403, stored: false },
    { when: 'after-body', status: 503, stored: false },
    { when: 'stored', status: 503, stored: true },
  ] as const)('answers $status, $when', async ({ when, status, stored }) => {
    door.add({ method: 'PUT', fault: { kind: 'answer', status, when }, times: 1 });
    expect(await put()).toBe(status);
    expect(await account.names('c')).toEqual(stored ? ['o'] : []);
    if (when !== 'before-body') expect(door.requests[0]?.received).toBe(BODY.length);
    expect(await put()).toBe(201);
  });

  it('fails a share of the requests, the same ones for the same seed', async () => {
    const pattern = async (seed: number): Promise<boolean[]> => {
      const seeded = await FaultDoor.start(swift.port, { seed });
      onTestFinished(() => seeded.close());
      seeded.add({
        method: 'HEAD',
        share: 0.2,
        fault: { kind: 'answer', status: 503, when: 'before-body' },
      });
      const heads = new SwiftAccount(seeded.url(), account.token);
      for (let count = 0; count < 25; count++) await heads.head('c', 'o');
      return seeded.requests.map(({ status }) => status === 503);
    };
    const first = await pattern(7);
    expect(await pattern(7)).toEqual(first);
    expect(await pattern(8)).not.toEqual(first);
    expect(first.filter(Boolean).length).toBeGreaterThan(1);
    expect(first.filter(Boolean).length).toBeLessThan(10);
  });

  it('lets each token expire after so many requests', async () => {
    door.expireTokensAfter(2);
    expect([await put(), await put(), await put()]).toEqual([201, 201, 401]);
    const renewed = new SwiftAccount(door.url(), await swift.token());
    expect((await renewed.head('c', 'o')).status).toBe(200);
  });

  it('falsifies an ETag', async () => {
    door.add({ fault: { kind: 'wrong-etag' } });
    const etag = await through.put('c', 'o', BODY);
    expect(etag).toMatch(/^[0-9a-f]{32}$/);
    expect(etag).not.toBe(md5(BODY));
    expect((await account.head('c', 'o')).headers.get('etag')).toBe(md5(BODY));
  });

  it('flips one bit of one byte', async () => {
    await account.put('c', 'o', BODY);
    door.add({ method: 'GET', fault: { kind: 'flip', atByte: 200_000 } });
    const { body } = await through.get('c', 'o');
    const different = [...body.entries()].filter(([index, byte]) => byte !== BODY[index]);
    expect(different.map(([index]) => index)).toEqual([200_000]);
  });

  it('slows both ways down', async () => {
    door.add({ fault: { kind: 'slow', bytesPerSecond: 600_000 } });
    const started = systemClock.monotonic();
    expect(await put()).toBe(201);
    const between = systemClock.monotonic();
    expect(md5((await through.get('c', 'o')).body)).toBe(md5(BODY));
    expect(between - started).toBeGreaterThan(450);
    expect(systemClock.monotonic() - between).toBeGreaterThan(450);
  });

  it.each(['request', 'response'] as const)('resets the connection mid-%s', async (way) => {
    await account.put('c', 'o', BODY);
    door.add({ fault: { kind: 'cut', way, afterBytes: 100_000, how: 'reset' } });
    const attempt = way === 'request' ? put('new') : through.get('c', 'o');
    await expect(attempt).rejects.toThrow();
    expect(await account.names('c')).toEqual(['o']);
  });

  it('ends a body early', async () => {
    await account.put('c', 'o', BODY);
    door.add({ fault: { kind: 'cut', way: 'response', afterBytes: 100_000, how: 'end' } });
    const { length, error } = await download(door);
    expect(length).toBe(100_000);
    expect(error).toBe('aborted');
  });

  it('lets a connection go dead', async () => {
    await account.put('c', 'o', BODY);
    door.add({
      method: 'GET',
      fault: { kind: 'stall', way: 'response', afterBytes: 100_000 },
    });
    door.add({ method: 'PUT', fault: { kind: 'stall', way: 'request', afterBytes: 100_000 } });
    const dead = new AbortController();
    const headers = { 'X-Auth-Token': account.token };
    const url = door.url();
    const get = await fetch(`${url}/c/o`, { headers, signal: dead.signal });
    const sent = fetch(`${url}/c/new`, {
      method: 'PUT',
      headers,
      body: new Uint8Array(BODY),
      signal: dead.signal,
    });
    await until('both are as far as they get', () => {
      const [read, written] = door.requests;
      return (read?.answered ?? 0) >= 100_000 && (written?.received ?? 0) >= 100_000;
    });
    expect(door.requests.map(({ status }) => status)).toEqual([200, null]);
    dead.abort();
    await expect(get.arrayBuffer()).rejects.toThrow('abort');
    await expect(sent).rejects.toThrow('abort');
    expect(await account.names('c')).toEqual(['o']);
  });

  async function download(from: FaultDoor): Promise<{ length: number; error: string }> {
    const call = httpRequest(`${from.url()}/c/o`, { headers: { 'X-Auth-Token': account.token } });
    call.end();
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    let length = 0;
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) length += chunk.length;
      return { length, error: '' };
    } catch (error) {
      return { length, error: (error as Error).message };
    }
  }
});
