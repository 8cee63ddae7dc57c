import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FinishedBackup } from '../../src/backup/make/backup.ts';
import { ARCHIVE_MEMBER, MANIFEST_MEMBER, readManifest } from '../../src/backup/layout.ts';
import { shellTool } from '../backup/tools.ts';
import { BackupLab } from '../helpers/backup-lab.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import type { SwiftAccount } from '../peers/swift/account.ts';
import { BACKUP_STORES } from '../peers/object-stores.ts';
import type { FaultDoor } from '../peers/swift/fault-door.ts';
import type { Fault } from '../peers/swift/faults.ts';
import type { ObjectStore } from '../peers/swift/object-store.ts';
import { troveDelete, troveVerify } from '../peers/swift/trove-backups.ts';

const SEGMENT = /_0000000\d/;

describe.each(BACKUP_STORES)('%s:', (_store, start) => {
  let swift: ObjectStore;
  let account: SwiftAccount;
  let door: FaultDoor;
  let lab: BackupLab;

  beforeAll(async () => {
    swift = await start();
  });
  afterAll(() => swift.stop());

  beforeEach(async () => {
    account = await swift.account();
    door = await swift.door();
    lab = await BackupLab.open(account, door);
  });
  afterEach(async () => {
    door.close();
    for (const name of await lab.inSwift()) await account.delete('database_backups', name);
  });

  function objectOf({ location }: FinishedBackup): string {
    return location.split('/').at(-1) ?? '';
  }

  /** What upstream's driver would read of an object: `gzip -dc | tar xz`. */
  async function unpacked(object: string): Promise<{ archive: Buffer; manifest: string }> {
    const directory = await temporaryDirectory();
    const { body } = await account.get('database_backups', object);
    await writeFile(path.join(directory, 'object'), body);
    const script = 'set -e; gzip -dc < object > inner; tar -xzf inner 2> messages';
    execFileSync('sh', ['-c', script], { cwd: directory });
    const read = (member: string): Buffer => readFileSync(path.join(directory, member));
    return { archive: read(ARCHIVE_MEMBER), manifest: read(MANIFEST_MEMBER).toString() };
  }

  /** The backup is in Swift, whole, and nothing is left anywhere else. */
  async function expectComplete(finished: FinishedBackup): Promise<void> {
    const object = objectOf(finished);
    const { archive, manifest } = await unpacked(object);
    expect(archive.equals(lab.archive)).toBe(true);
    expect(readManifest(manifest)).toMatchObject({ records: 34, keys: 34 });
    const { headers } = await account.head('database_backups', object);
    expect(headers.get('etag')?.replaceAll('"', '')).toBe(finished.checksum);
    expect(await lab.onDisk()).toEqual(['k2hdkc.k2h']);
  }

  /** The backup has failed with this reason, and nothing is left of it. */
  async function expectFailed(backup: Promise<FinishedBackup>, reason: RegExp): Promise<void> {
    await expect(backup).rejects.toThrow(reason);
    expect(await lab.inSwift()).toEqual([]);
    expect(lab.places.known()).toEqual([]);
    expect(await lab.onDisk()).toEqual(['k2hdkc.k2h']);
  }

  describe('a backup', () => {
    it('is a static large object that Trove verifies, and deletes without a rest', async () => {
      const finished = await lab.backup();
      await expectComplete(finished);
      const object = objectOf(finished);
      const stem = object.replace('.gz', '');
      expect(await lab.inSwift()).toEqual([
        object,
        ...[0, 1, 2, 3].map((n) => `${stem}_0000000${n}`),
      ]);
      const { headers } = await account.head('database_backups', object);
      expect(headers.get('x-static-large-object')).toBe('True');
      expect(headers.get('x-object-meta-datastore')).toBe('k2hdkc');
      expect(headers.get('x-object-meta-datastore-version')).toBe('1.0.16');
      const location = finished.location.replace(door.url(), account.url);
      expect(await troveVerify(account, { ...finished, location })).toBe(true);
      await troveDelete(account, location);
      expect(await lab.inSwift()).toEqual([]);
    });

    it('is a plain object when it fits one segment', async () => {
      const finished = await lab.backup({ parts: { segmentBytes: 2 ** 30 } });
      await expectComplete(finished);
      expect(await lab.inSwift()).toEqual([objectOf(finished)]);
    });

    it('becomes a plain object when it turns out to fit one segment', async () => {
      const { archive } = lab;
      const finished = await lab.backup({ parts: { segmentBytes: archive.length + 10_000 } });
      await expectComplete(finished);
      expect(await lab.inSwift()).toEqual([objectOf(finished)]);
    });
  });

  describe('a backup is complete in spite of', () => {
    const seldom: [string, Fault][] = [
      ['503 before the body', { kind: 'answer', status: 503, when: 'before-body' }],
      ['503 behind the body', { kind: 'answer', status: 503, when: 'after-body' }],
      ['503 although it was stored', { kind: 'answer', status: 503, when: 'stored' }],
      ['a wrong ETag', { kind: 'wrong-etag' }],
      ['a connection reset', { kind: 'cut', way: 'request', afterBytes: 300_000, how: 'reset' }],
      ['a connection cut', { kind: 'cut', way: 'request', afterBytes: 300_000, how: 'end' }],
      ['a connection that dies', { kind: 'stall', way: 'request', afterBytes: 300_000 }],
      ['an answer that never comes', { kind: 'stall', way: 'response', afterBytes: 0 }],
    ];
    it.each(seldom)('%s, twice', async (_, fault) => {
      door.add({ fault, method: 'PUT', path: SEGMENT, skip: 1, times: 2 });
      const finished = await lab.backup();
      await expectComplete(finished);
      expect(door.requests.filter((request) => request.fault !== null)).toHaveLength(2);
      expect(await lab.inSwift()).toHaveLength(5);
    });

    it('failures of every fifth call', async () => {
      const share = { share: 0.2 / seldom.length };
      for (const [, fault] of seldom) door.add({ fault, ...share });
      const finished = await lab.backup({ parts: { segmentBytes: 600_000 } });
      door.clear();
      await expectComplete(finished);
    });

    it('a slow connection', async () => {
      door.add({ fault: { kind: 'slow', bytesPerSecond: 4_000_000 }, path: SEGMENT });
      await expectComplete(await lab.backup());
    });

    it('a disk that is full for a while', async () => {
      await swift.fill();
      const backup = lab.backup({ parts: { pauses: { first: 300, cap: 300 } } });
      try {
        await expect.poll(() => lab.log.texts.includes('trying again')).toBe(true);
      } finally {
        await swift.empty();
      }
      await expectComplete(await backup);
    });
  });

  describe('a backup fails, and leaves nothing, at', () => {
    const always = (status: number): Fault => ({ kind: 'answer', status, when: 'before-body' });

    it.each([
      ['403', 403, /roles in the project/],
      ['413', 413, /largest size or the quota/],
      ['503 without end, as of a full cluster', 503, /unavailable, or its disks are full/],
      ['507 without end', 507, /its disks are full/],
    ])('%s', async (_, status, reason) => {
      door.add({ fault: always(status), method: 'PUT', path: SEGMENT, skip: 2 });
      await expectFailed(lab.backup(), reason);
      expect(door.requests.filter(({ method }) => method === 'PUT').length).toBeGreaterThan(2);
    });

    it('an object larger than the quota, refused behind its body', async () => {
      const fault: Fault = { kind: 'answer', status: 413, when: 'after-body' };
      door.add({ fault, method: 'PUT', path: SEGMENT });
      await expectFailed(lab.backup(), /: 413/);
    });

    it('ETags that are always wrong', async () => {
      door.add({ fault: { kind: 'wrong-etag' }, method: 'PUT', path: SEGMENT, skip: 1 });
      await expectFailed(lab.backup(), /Swift has stored .* with the ETag/);
    });

    it('a manifest that is refused', async () => {
      door.add({ fault: always(400), method: 'PUT', path: /multipart-manifest/ });
      await expectFailed(lab.backup(), /: 400/);
    });

    it('a Swift that dies', async () => {
      const fault: Fault = { kind: 'stall', way: 'request', afterBytes: 0 };
      door.add({ fault, method: 'PUT', path: SEGMENT, skip: 1 });
      const hurried = { silenceTimeoutMs: 100 };
      await expectFailed(lab.backup({ parts: hurried }), /no sign of life for 0.1 s/);
    });

    it('a k2hlinetool that fails although it exits 0', async () => {
      const said = '[ERR] Something error occurred during putting archive file(x).';
      const tool = await shellTool(await temporaryDirectory(), 'k2hlinetool', `echo "${said}" >&2`);
      await expectFailed(lab.backup({ tool }), /Something error occurred/);
      expect(await lab.inSwift()).toEqual([]);
    });

    it('a snapshot that is cut off without a word', async () => {
      const script = 'head -c 50000 "${2%/*}"/k2hdkc.k2h | tail -c +4097 > snapshot.k2har';
      const tool = await shellTool(await temporaryDirectory(), 'k2hlinetool', script);
      await expectFailed(lab.backup({ tool }), /record 1 at byte 0: it is cut off/);
    });
  });

  describe('a token that expires', () => {
    it('fails the backup; what it left is removed by the next one', async () => {
      door.expireTokensAfter(6);
      await expect(lab.backup()).rejects.toThrow(/401 \(the token has expired or is not valid/);
      expect((await lab.inSwift()).length).toBeGreaterThan(0);
      expect(await lab.onDisk()).toEqual(['k2hdkc.k2h']);
      door.clear();
      const finished = await lab.backup({ token: (await swift.account()).token });
      await expectComplete(finished);
      const stem = objectOf(finished).replace('.gz', '');
      expect((await lab.inSwift()).every((name) => name.startsWith(stem))).toBe(true);
    });

    it('before anything is sent fails it without a trace', async () => {
      await expectFailed(lab.backup({ token: 'AUTH_tkexpired' }), /: 401/);
    });
  });

  describe('an agent that ends', () => {
    it('in the middle leaves its segments, which the same backup removes at its next start', async () => {
      const ending = new AbortController();
      door.add({ fault: { kind: 'slow', bytesPerSecond: 500_000 }, path: /_00000002/ });
      const id = randomUUID();
      const backup = lab.backup({ id, signal: ending.signal });
      await expect.poll(async () => (await lab.inSwift()).length).toBe(2);
      ending.abort(new Error('the agent ends'));
      await expect(backup).rejects.toThrow('the agent ends');
      expect(await lab.onDisk()).toEqual(['k2hdkc.k2h']);
      door.clear();
      await expectComplete(await lab.backup({ id, parts: { segmentBytes: 2 ** 30 } }));
      expect(await lab.inSwift()).toEqual([`${id}.gz`]);
    });
  });

  it('no token is logged', async () => {
    door.add({ fault: { kind: 'answer', status: 403, when: 'before-body' } });
    await expect(lab.backup()).rejects.not.toThrow(account.token);
    expect(lab.log.texts.join('\n')).not.toContain(account.token);
  });
});
