import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, readFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { bundle } from '../helpers/bundle.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { until } from '../helpers/until.ts';
import { identify, isRunning, processTree } from '../peers/processes.ts';
import { SwiftAccount } from '../peers/swift/account.ts';
import { FaultDoor } from '../peers/swift/fault-door.ts';
import { SwiftPeer } from '../peers/swift/swift-peer.ts';
import { troveDelete, troveVerify } from '../peers/swift/trove-backups.ts';

const MAX_FILE_SIZE = 4 << 20;
const BODY = randomBytes(300_000);

const md5 = (bytes: Buffer | string): string => createHash('md5').update(bytes).digest('hex');

let swift: SwiftPeer;
let account: SwiftAccount;

beforeAll(async () => {
  swift = await SwiftPeer.start({ projects: ['test', 'other'], maxFileSize: MAX_FILE_SIZE });
  account = await swift.account();
  await account.makeContainer('c');
});

afterAll(() => swift.stop());

describe('Swift', () => {
  it('keeps an object with its metadata, and answers with its md5', async () => {
    expect(await account.put('c', 'o', BODY, { 'X-Object-Meta-Datastore': 'k2hdkc' })).toBe(
      md5(BODY),
    );
    const { status, headers, body } = await account.get('c', 'o', { Range: 'bytes=10-19' });
    expect(status).toBe(206);
    expect(body).toEqual(BODY.subarray(10, 20));
    expect(headers.get('x-object-meta-datastore')).toBe('k2hdkc');
    await account.delete('c', 'o');
    expect((await account.head('c', 'o')).status).toBe(404);
  });

  it('puts a large object together from its segments, and deletes it with them', async () => {
    const etag = await account.putLarge('c', 'large.gz', BODY, 100_001);
    expect(await account.names('c')).toEqual([
      'large.gz',
      'large_00000000',
      'large_00000001',
      'large_00000002',
    ]);
    expect(md5((await account.get('c', 'large.gz')).body)).toBe(md5(BODY));
    const { headers } = await account.head('c', 'large.gz');
    expect(headers.get('etag')).toBe(`"${etag}"`);
    expect(headers.get('x-static-large-object')).toBe('True');
    await account.delete('c', 'large.gz', { segments: true });
    expect(await account.list('c')).toEqual([]);
  });

  it('refuses what is too large, a wrong token and a foreign one', async () => {
    const large = { body: Buffer.alloc(MAX_FILE_SIZE + 1) };
    expect((await account.request('PUT', '/c/o', large)).status).toBe(413);
    const unknown = await new SwiftAccount(swift.url(), 'AUTH_tkunknown').head('c', 'o');
    expect(unknown.status).toBe(401);
    expect(unknown.headers.get('www-authenticate')).toBe('Swift realm="AUTH_test"');
    const foreign = new SwiftAccount(swift.url(), await swift.token('other'));
    expect((await foreign.head('c', 'o')).status).toBe(403);
  });

  it.each([0, 100_000])('answers 503 when its disk is full after %d bytes', async (acceptBytes) => {
    await account.put('c', 'before', BODY);
    await swift.fill({ acceptBytes });
    expect((await account.request('PUT', '/c/o', { body: BODY })).status).toBe(503);
    expect(md5((await account.get('c', 'before')).body)).toBe(md5(BODY));
    await account.delete('c', 'before');
    await swift.empty();
    await account.put('c', 'o', BODY);
    await account.delete('c', 'o');
    expect(await account.list('c')).toEqual([]);
  });

  it('gives a new token each time, and the old ones stay good', async () => {
    const [first, second] = [await swift.account(), await swift.account()];
    expect(first.token).not.toBe(second.token);
    for (const { token } of [first, second]) {
      const { status } = await new SwiftAccount(swift.url(), token).request('GET', '/c');
      expect(status).toBeLessThan(300);
    }
  });

  it.each(['stop', 'SIGINT', 'SIGKILL'] as const)('leaves nothing behind after %s', async (how) => {
    const folder = path.join(projectRoot, 'dist/test/swift-under-test');
    const program = await bundle('test/integration/swift-peer.child.ts', folder);
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const { directory, pid } = JSON.parse(line) as { directory: string; pid: number };
    const launcher = identify(pid);
    const processes = launcher ? processTree(launcher) : [];
    expect(processes).toHaveLength(5);
    await access(directory);

    if (how === 'stop') child.stdin.end();
    else child.kill(how);
    await until('all of it is gone', async () => {
      const left = await access(directory).then(
        () => true,
        () => false,
      );
      return !left && !processes.some(isRunning);
    });
  });
});

describe("Trove's own code", () => {
  const location = (name: string): string => `${swift.url()}/trove/${name}`;

  it('accepts a backup with its checksum, and deletes it whole', async () => {
    const upstream = await readFile(path.join(projectRoot, 'test/fixtures/swift/upstream.gz'));
    await account.makeContainer('trove');
    const etag = await account.put('trove', 'plain.gz', upstream);
    const large = await account.putLarge('trove', 'large.gz', upstream, 500);
    expect(await account.names('trove')).toHaveLength(6);

    expect(
      await Promise.all([
        troveVerify(account, { location: location('large.gz'), checksum: large }),
        troveVerify(account, { location: location('no.gz'), checksum: etag }),
      ]),
    ).toEqual([true, false]);
    await expect(
      troveVerify(account, { location: location('plain.gz'), checksum: large }),
    ).rejects.toThrow('RestoreBackupIntegrityError');

    await Promise.all([
      troveDelete(account, location('plain.gz')),
      troveDelete(account, location('large.gz')),
    ]);
    expect(await account.names('trove')).toEqual([]);
  }, 120_000);
});

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
      ...{ method: 'PUT', headers, body: new Uint8Array(BODY), signal: dead.signal },
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
