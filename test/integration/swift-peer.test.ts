import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { bundle } from '../helpers/bundle.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { until } from '../helpers/until.ts';
import { identify, isRunning, processTree } from '../peers/processes.ts';
import { SwiftAccount } from '../peers/swift/account.ts';
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
