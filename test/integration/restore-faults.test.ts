import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { walkArchive } from '../../src/backup/archive.ts';
import { ARCHIVE_MEMBER, MANIFEST_MEMBER, writeManifest } from '../../src/backup/layout.ts';
import {
  archiveOf,
  inPieces,
  tarOf,
  twice,
  upstreamMembers,
  upstreamObject,
  type Member,
} from '../backup/objects.ts';
import { shellTool } from '../backup/tools.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { BackupLab } from '../helpers/backup-lab.ts';
import { RestoreLab, type RestoreChange, type Stored } from '../helpers/restore-lab.ts';
import type { SwiftAccount } from '../peers/swift/account.ts';
import { RESTORE_STORES } from '../peers/object-stores.ts';
import type { FaultDoor } from '../peers/swift/fault-door.ts';
import type { ObjectStore } from '../peers/swift/object-store.ts';

const KEYS = 500;
const ARCHIVE = archiveOf(KEYS);
const EXPECTED = Object.fromEntries(
  Array.from({ length: KEYS }, (_, n) => [`key${n}`, `value of ${n}`]),
);
const DIRECTORY = '.k2hdkc-agent-restore';

describe.each(RESTORE_STORES)('%s:', (_store, start) => {
  let swift: ObjectStore;
  let door: FaultDoor;
  let account: SwiftAccount;
  let lab: RestoreLab;
  let object: Buffer;

  beforeAll(async () => {
    swift = await start();
    door = await swift.door();
    account = await swift.account();
    object = await upstreamObject(ARCHIVE);
  });
  afterAll(async () => {
    door.close();
    await swift.stop();
  });
  beforeEach(async () => {
    lab = await RestoreLab.open(account, door);
    door.forget();
  });
  afterEach(() => door.clear());

  /** Judges a restore that must change nothing, and say why. */
  async function expectRefused(stored: Stored, change: RestoreChange, why: RegExp): Promise<void> {
    const before = await lab.disk();
    expect(before.names).toEqual(['k2hdkc.k2h']);
    const outcome = lab.restore(stored, change);
    await expect(outcome).rejects.toThrow(why);
    await expect(outcome).rejects.toThrow(/^backup b-1 cannot be restored: /);
    expect(await lab.disk()).toEqual(before);
    expect(await lab.keys()).toEqual({ old: 'value' });
  }

  async function withManifest(keys: number): Promise<Buffer> {
    const facts = await walkArchive(inPieces(ARCHIVE, 4096));
    const manifest = { name: MANIFEST_MEMBER, body: writeManifest({ ...facts, keys }) };
    const [directory, archive] = upstreamMembers(ARCHIVE) as [Member, Member];
    return twice(await tarOf(directory, manifest, archive));
  }

  describe('a restore', () => {
    it.each([
      ['a plain object', undefined],
      ['a large object in segments', 1000],
    ])('of %s replaces the data and leaves nothing else', async (_, segmentSize) => {
      const stored = await lab.store(object, segmentSize === undefined ? {} : { segmentSize });
      await lab.restore(stored);
      expect(await lab.keys()).toEqual(EXPECTED);
      expect((await lab.disk()).names).toEqual(['k2hdkc.k2h']);
    });

    it('of an object that upstream’s own driver made', async () => {
      const upstream = path.join(projectRoot, 'test/fixtures/swift/upstream-3-keys.gz');
      await lab.restore(await lab.store(await readFile(upstream)));
      expect(await lab.keys()).toEqual({ a: 'one', b: 'two', c: 'three' });
    });

    it.each([1000, 2 ** 30])(
      'of a backup that this agent made, in segments of %i',
      async (size) => {
        const source = await BackupLab.open(account, door);
        const { location, checksum } = await source.backup({ parts: { segmentBytes: size } });
        await lab.restore({ object: location.split('/').at(-1) ?? '', checksum });
        const put = path.join(path.dirname(lab.data), 'again.k2har');
        await lab.run(`ar put ${put}`);
        expect((await readFile(put)).equals(source.archive)).toBe(true);
      },
    );

    it('of one with a manifest', async () => {
      await lab.restore(await lab.store(await withManifest(KEYS)));
      expect(await lab.keys()).toEqual(EXPECTED);
    });

    it('of one that is gzip only once', async () => {
      await lab.restore(await lab.store(gunzipSync(object)));
      expect(await lab.keys()).toEqual(EXPECTED);
    });

    it('of a checksum with quotes, as another region’s SLO has', async () => {
      const stored = await lab.store(object, { segmentSize: 900 });
      await lab.restore(stored, { checksum: `"${stored.checksum}"` });
      expect(await lab.keys()).toEqual(EXPECTED);
    });

    it('makes a k2h file where none was', async () => {
      await rm(lab.data, { recursive: true });
      await lab.restore(await lab.store(object));
      expect(Object.keys(await lab.keys())).toHaveLength(KEYS);
    });

    it.each(['reset', 'end'] as const)(
      'goes on where a connection was lost (%s), as often as it takes',
      async (how) => {
        const stored = await lab.store(object, { segmentSize: 1000 });
        door.add({
          fault: { kind: 'cut', way: 'response', afterBytes: 300, how },
          method: 'GET',
          path: /\.gz$/,
          times: 3,
        });
        await lab.restore(stored);
        expect(await lab.keys()).toEqual(EXPECTED);
        const ranges = door.requests.map(({ headers }) => headers.range).filter(Boolean);
        expect(ranges).toEqual(['bytes=300-', 'bytes=600-', 'bytes=900-']);
      },
    );

    it.each([500, 503, 429])('tries again after a %i', async (status) => {
      const stored = await lab.store(object, { segmentSize: 1000 });
      door.add({ fault: { kind: 'answer', status, when: 'before-body' }, times: 2 });
      await lab.restore(stored);
      expect(await lab.keys()).toEqual(EXPECTED);
    });

    it('removes what a killed agent has left, its tool too', async () => {
      const left = path.join(lab.data, DIRECTORY);
      await mkdir(left, { mode: 0o700 });
      await writeFile(path.join(left, 'new.k2h'), 'half of it');
      const tool = spawn('sleep', ['1000'], { cwd: left });
      await once(tool, 'spawn');
      const gone = once(tool, 'exit');
      await lab.restore(await lab.store(object));
      expect(await gone).toEqual([null, 'SIGKILL']);
      expect(await lab.keys()).toEqual(EXPECTED);
      expect((await lab.disk()).names).toEqual(['k2hdkc.k2h']);
    });
  });

  describe('a restore changes nothing', () => {
    it('when Trove knows another checksum', async () => {
      const stored = await lab.store(object);
      const change = { checksum: 'a'.repeat(32) };
      await expectRefused(
        stored,
        change,
        /has the checksum [0-9a-f]{32} in Swift, and a{32} by Trove/,
      );
      expect(door.requests).toHaveLength(1);
    });

    it('when a bit of a plain object is flipped on its way', async () => {
      door.add({ fault: { kind: 'flip', atByte: 12 }, method: 'GET' });
      const why = /the bytes of .* have the MD5 .* they are damaged|its gzip is damaged/;
      await expectRefused(await lab.store(object), {}, why);
    });

    it('when a bit of a segment is flipped that gunzip does not see', async () => {
      // The time stamp of the outer gzip: only the MD5 tells.
      door.add({ fault: { kind: 'flip', atByte: 5 }, method: 'GET', path: /\.gz$/ });
      const stored = await lab.store(object, { segmentSize: 1000 });
      await expectRefused(stored, {}, /the bytes of .*_00000000 have the MD5 .*: they are damaged/);
    });

    it.each([1000, 900])('when a segment is another one by now, of %i bytes', async (bytes) => {
      const stored = await lab.store(object, { segmentSize: 1000 });
      const segment = `${stored.object.split('.')[0] ?? ''}_00000001`;
      await account.put('database_backups', segment, Buffer.alloc(bytes, 'x'));
      // Swift does not hand it out; RGW does when it has the same size.
      await expectRefused(
        stored,
        {},
        /cannot be restored: (Swift at .* GET .*\.gz|database_backups\/.* ended after|the segments of .* are not those|the bytes of .*_00000001 have the MD5)/,
      );
    });

    it('when the token is not good (401)', async () => {
      await expectRefused(await lab.store(object), { token: 'unknown' }, /: 401 \(the token has/);
    });

    it('when the token expires in the middle', async () => {
      const stored = await lab.store(object);
      door.add({
        fault: { kind: 'cut', way: 'response', afterBytes: 700, how: 'reset' },
        method: 'GET',
      });
      door.expireTokensAfter(2);
      await expectRefused(stored, {}, /: 401 \(the token has/);
    });

    it('when the object is not there (404)', async () => {
      await expectRefused(await lab.store(object), { object: 'gone.gz' }, /gone\.gz: 404/);
    });

    it('when the object is not gzip', async () => {
      await expectRefused(await lab.store(ARCHIVE), {}, /it is not gzip$/);
    });

    it('when the object ends early, with a checksum to match', async () => {
      const why = /its gzip is damaged: unexpected end of file/;
      await expectRefused(await lab.store(object.subarray(0, -20)), {}, why);
    });

    const link = { linkname: '/etc/passwd' };
    it.each<[string, Member]>([
      ['another absolute path', { name: '/etc/cron.d/evil', body: 'x' }],
      ['..', { name: `${ARCHIVE_MEMBER}/../../../../evil`, body: 'x' }],
      ['a hard link', { name: ARCHIVE_MEMBER, type: 'link', ...link }],
      ['a symbolic link', { name: ARCHIVE_MEMBER, type: 'symlink', ...link }],
      ['a fifo', { name: ARCHIVE_MEMBER, type: 'fifo' }],
    ])('when the tar holds %s', async (_, member) => {
      const tar = await tarOf(...upstreamMembers(ARCHIVE), member);
      await expectRefused(
        await lab.store(twice(tar)),
        {},
        /does not belong there: it was tampered/,
      );
    });

    it('when the tar holds no archive, which upstream calls a backup', async () => {
      const [directory] = upstreamMembers(ARCHIVE) as [Member, Member];
      const stored = await lab.store(twice(await tarOf(directory)));
      await expectRefused(stored, {}, /it holds no trovebackup\.k2har/);
    });

    it.each([
      ['in a record', ARCHIVE.length - 5],
      ['in a header', 50],
    ])('when the archive is torn %s', async (_, length) => {
      const stored = await lab.store(await upstreamObject(ARCHIVE.subarray(0, length)));
      await expectRefused(
        stored,
        {},
        /the archive is damaged: record \d+ at byte \d+: it is cut off/,
      );
    });

    it('when the archive is empty and nothing says that it should be', async () => {
      const stored = await lab.store(await upstreamObject(Buffer.alloc(0)));
      await expectRefused(stored, {}, /the archive is empty, and no manifest says/);
    });

    it('when the manifest counts other keys', async () => {
      const stored = await lab.store(await withManifest(KEYS + 1));
      await expectRefused(stored, {}, /not the one of the manifest: keys is 500, not 501/);
    });

    it('when the data volume has no room for the archive', async () => {
      const tar = await tarOf(...upstreamMembers(ARCHIVE));
      // The size in the header of the archive, whose checksum counts its bytes: 1 PiB.
      const stored = await lab.store(twice(withArchiveSize(tar, 1024 ** 5)));
      await expectRefused(stored, {}, /the archive of \d+ MiB needs \d+ MiB .*, \d+ MiB are free/);
    });

    it('when an encrypted backup has no key, or another', async () => {
      const encrypted = await readFile(path.join(projectRoot, 'test/fixtures/swift/sample.gz.enc'));
      const stored = await lab.store(encrypted, { ending: 'gz.enc' });
      await expectRefused(stored, {}, /Decryption key not configured for encrypted backup/);
      const storage = { decryptionKey: 'another' };
      await expectRefused(stored, { storage }, /backup_aes_cbc_key/);
    });

    it('when k2hlinetool prints an error and exits 0', async () => {
      const script = 'echo "[ERR] Something error occurred during loading archive file(x)." >&2';
      const tool = await shellTool(path.dirname(lab.data), 'bad', script);
      await expectRefused(await lab.store(object), { tool }, /\[ERR\] Something error occurred/);
    });

    it('when k2hlinetool loads a part and says nothing', async () => {
      const script = `for last; do :; done; case "$(head -n1 "$last")" in
        ar*) truncate -s 20000 backup.k2har;; esac; exec ${lab.tool} "$@"`;
      const tool = await shellTool(path.dirname(lab.data), 'partly', script);
      await expectRefused(
        await lab.store(object),
        { tool },
        /the archive has 500 keys, of which \d+ were loaded/,
      );
    });

    it('when k2hlinetool is not there', async () => {
      const tool = '/no/k2hlinetool';
      await expectRefused(await lab.store(object), { tool }, /cannot be started \(ENOENT\)/);
    });

    it('when it is given up', async () => {
      const script = 'echo $$ > ../../../pid; exec sleep 1000';
      const tool = await shellTool(path.dirname(lab.data), 'slow', script);
      const before = await lab.disk();
      const ending = new AbortController();
      const outcome = lab.restore(await lab.store(object), { tool, signal: ending.signal });
      const pid = path.join(path.dirname(lab.data), 'pid');
      await expect.poll(() => readFile(pid, 'utf8').catch(() => '')).not.toBe('');
      ending.abort(new Error('the agent ends'));
      await expect(outcome).rejects.toThrow('the agent ends');
      expect(await lab.disk()).toEqual(before);
    });
  });
});

/** The tar with another size in the second header, and its checksum made good. */
function withArchiveSize(tar: Buffer, size: number): Buffer {
  const changed = Buffer.from(tar);
  const header = changed.subarray(512, 1024);
  header.fill(0, 124, 136);
  header.writeUInt8(0x80, 124); // base 256, as GNU tar writes what does not fit
  header.writeBigUInt64BE(BigInt(size), 128);
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return changed;
}
