import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { walkArchiveFile } from '../../../src/backup/archive.ts';
import { BufferBin } from '../../../src/backup/buffer-bin.ts';
import { ARCHIVE_MEMBER, MANIFEST_MEMBER, readManifest } from '../../../src/backup/layout.ts';
import type { Packing } from '../../../src/backup/make/members.ts';
import { Packer } from '../../../src/backup/make/packer.ts';
import { removeBackup } from '../../../src/backup/swift/remove-backup.ts';
import { SwiftClient } from '../../../src/backup/swift/swift-client.ts';
import { USUAL_LIMITS } from '../../../src/backup/swift/swift-limits.ts';
import { TarImage } from '../../../src/backup/make/tar-image.ts';
import { uploadBackup, type StoredBackup } from '../../../src/backup/make/upload.ts';
import { hurriedClock } from '../../base/hurried-clock.ts';
import { randomFrom } from '../../helpers/random-from.ts';
import { silentLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { md5, startMemorySwift, type MemorySwift } from '../swift/memory-swift.ts';
import { record } from '../records.ts';

const MEMBER_BYTES = 16 * 1024;
const ID = '11111111-2222-4333-8444-555555555555';

interface Lab {
  swift: MemorySwift;
  archive: string;
  packing: Packing;
  upload: (segmentBytes: number) => Promise<StoredBackup>;
  remove: () => Promise<void>;
}

/** A Swift, and an archive of records with such values. */
async function lab(values: readonly Uint8Array[], level = 1): Promise<Lab> {
  const directory = await temporaryDirectory();
  const archive = path.join(directory, 'a.k2har');
  await writeFile(archive, Buffer.concat(values.map((value, n) => record(`key-${n}`, value))));
  const image = await TarImage.open(archive, await walkArchiveFile(archive), 1_700_000_000_000);
  onTestFinished(() => image.close());
  const bin = new BufferBin();
  const packer = new Packer(level, bin);
  const packing = { image, packer, bin, memberBytes: MEMBER_BYTES, lanes: 2 };
  const swift = await startMemorySwift();
  swift.containers.add('backups');
  const client = new SwiftClient({ ...swift, clock: systemClock, silenceTimeoutMs: 2_000 });
  onTestFinished(() => client.close());
  const { signal } = new AbortController();
  const patience = { clock: hurriedClock, random: Math.random, log: silentLog, signal };
  const target = { client, container: 'backups', backupId: ID };
  const metadata = { 'X-Object-Meta-datastore': 'k2hdkc' };
  return {
    swift,
    archive,
    packing,
    upload: (segmentBytes) =>
      uploadBackup({
        ...target,
        ...{ metadata, packing, segmentBytes, patience },
        limits: USUAL_LIMITS,
      }),
    remove: () => removeBackup(client, target, patience),
  };
}

const noise = (bytes: number): Buffer[] =>
  Array.from({ length: bytes / 1000 }, () => randomBytes(1000));
const text = (bytes: number): Buffer[] =>
  Array.from({ length: bytes / 1000 }, (_, n) =>
    Buffer.from(`text ${n} `.repeat(200)).subarray(0, 1000),
  );

/** What `gzip -dc | tar xz` of upstream's driver makes of an object. */
async function asUpstream(object: Uint8Array): Promise<{ archive: Buffer; manifest: string }> {
  const directory = await temporaryDirectory();
  const file = path.join(directory, 'object');
  await writeFile(file, object);
  execFileSync('sh', ['-c', `set -e; gzip -dc < object > inner; tar -xzf inner 2>/dev/null`], {
    cwd: directory,
  });
  const read = (member: string): Buffer => readFileSync(path.join(directory, member));
  return { archive: read(ARCHIVE_MEMBER), manifest: read(MANIFEST_MEMBER).toString() };
}

describe('a backup', () => {
  it.each([
    ['that compresses', text(200_000), 0.2],
    ['that does not', noise(200_000), 1.1],
    ['of nothing', [], 0],
  ])('%s is read by gzip and tar as upstream reads it', async (_, values, ratio) => {
    const { swift, archive, upload } = await lab(values);
    const stored = await upload(2 ** 30);
    const object = swift.objects.get(`backups/${ID}.gz`);
    expect(stored).toMatchObject({
      segments: 1,
      checksum: md5(object?.body ?? ''),
      object: `${ID}.gz`,
    });
    expect(object?.headers['x-object-meta-datastore']).toBe('k2hdkc');
    const original = readFileSync(archive);
    expect(stored.bytes).toBeLessThan(original.length * ratio + 1000);
    const unpacked = await asUpstream(object?.body ?? Buffer.alloc(0));
    expect(unpacked.archive.equals(original)).toBe(true);
    expect(readManifest(unpacked.manifest)).toEqual(await walkArchiveFile(archive));
  });

  it('that fits one object for certain is sent straight to its name', async () => {
    const { swift, upload } = await lab(noise(50_000));
    await upload(100_000);
    expect(swift.calls).toEqual([
      `PUT /v1/AUTH_test/backups/${ID}.gz`,
      `HEAD /v1/AUTH_test/backups/${ID}.gz`,
    ]);
  });

  it('that turns out to fit one object becomes one', async () => {
    const { swift, upload } = await lab(text(200_000));
    const stored = await upload(100_000);
    expect([...swift.objects.keys()]).toEqual([`backups/${ID}.gz`]);
    expect(swift.objects.get(`backups/${ID}.gz`)).toMatchObject({
      isSlo: false,
      etag: stored.checksum,
    });
  });

  it('that does not fit is made of segments, each whole members', async () => {
    const { swift, archive, upload } = await lab(noise(300_000));
    const stored = await upload(70_000);
    const names = [...swift.objects.keys()].sort();
    const segments = names.filter((name) => name.includes('_0'));
    expect(segments).toHaveLength(stored.segments);
    expect(segments[0]).toBe(`backups/${ID}_00000000`);
    const stores = segments.map((name) => swift.objects.get(name));
    for (const segment of stores) {
      expect(segment?.body.length).toBeLessThanOrEqual(70_000);
      expect(segment?.body.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
    }
    const whole = swift.objects.get(`backups/${ID}.gz`);
    expect(whole).toMatchObject({ isSlo: true, etag: stored.checksum });
    expect(stored.checksum).toBe(md5(stores.map((segment) => segment?.etag).join('')));
    const unpacked = await asUpstream(whole?.body ?? Buffer.alloc(0));
    expect(unpacked.archive.equals(readFileSync(archive))).toBe(true);
  });
});

describe('a segment that fails', () => {
  it('is sent again with the same bytes', async () => {
    const { swift, upload } = await lab([...noise(150_000), ...text(150_000)]);
    await upload(60_000);
    const before = new Map([...swift.objects].map(([name, { etag }]) => [name, etag]));
    swift.objects.clear();
    const random = randomFrom(7);
    let faults = 0;
    swift.fault = (request, response) => {
      if (random() > 0.2) return undefined;
      faults += 1;
      response.writeHead(503).end();
      request.resume();
      return 'taken';
    };
    await upload(60_000);
    expect(faults).toBeGreaterThan(0);
    expect(new Map([...swift.objects].map(([name, { etag }]) => [name, etag]))).toEqual(before);
  });

  it('with another ETag than what was sent is sent again', async () => {
    const { swift, upload } = await lab(noise(150_000));
    let wrong = 2;
    swift.fault = (request, response) => {
      if (request.method !== 'PUT' || !request.url?.includes('_0000') || wrong === 0)
        return undefined;
      wrong -= 1;
      response.writeContinue();
      request.resume().once('end', () => response.writeHead(201, { Etag: md5('x') }).end());
      return 'taken';
    };
    await upload(60_000);
    expect(wrong).toBe(0);
  });

  it('for ever fails the backup; what is left can be removed, and nothing else is', async () => {
    const { swift, upload, remove } = await lab(noise(300_000));
    swift.fault = (request, response) => {
      if (!request.url?.endsWith('_00000002')) return undefined;
      response.writeHead(503).end();
      return 'taken';
    };
    await expect(upload(60_000)).rejects.toMatchObject({ status: 503 });
    swift.fault = () => undefined;
    const other = `backups/${ID}0_00000000`;
    swift.objects.set(other, { body: Buffer.alloc(1), etag: '', isSlo: false, headers: {} });
    expect(swift.objects.size).toBe(3);
    await remove();
    expect([...swift.objects.keys()]).toEqual([other]);
  });

  it('because the token has expired is not tried again', async () => {
    const { swift, upload } = await lab(noise(50_000));
    swift.token = 'a new one';
    await expect(upload(1_000_000)).rejects.toMatchObject({ status: 401 });
    expect(swift.calls).toHaveLength(1);
  });
});

it('an object that is not what was sent fails the backup', async () => {
  const { swift, upload } = await lab(noise(50_000));
  swift.fault = (request, response) => {
    if (request.method !== 'HEAD') return undefined;
    response.writeHead(200, { Etag: md5('other'), 'Content-Length': 5 }).end();
    return 'taken';
  };
  await expect(upload(1_000_000)).rejects.toThrow(/in Swift has 5 bytes and the checksum/);
});
