// Containers that no URL can hold as they are: a whole backup and a whole restore in each, on a real Swift and on
// what plays Ceph RGW (see ../container-names.test.ts).
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BackupLab } from '../../helpers/backup-lab.ts';
import { RestoreLab } from '../../helpers/restore-lab.ts';
import { PLAIN_STORAGE } from '../../helpers/storage-config.ts';
import { RgwPeer } from '../../peers/rgw/rgw-peer.ts';
import { SwiftPeer } from '../../peers/swift/swift-peer.ts';

const NAMES = [
  'my backups',
  'what?',
  'a#b',
  '100%',
  'a%20b',
  'a+b&c=d',
  'Sicherung für ö',
  '保存 ✓',
];

describe.each([
  ['Swift', () => SwiftPeer.start()],
  ['Ceph RGW', () => RgwPeer.start()],
])('%s', (_, start) => {
  let store: SwiftPeer | RgwPeer;

  beforeAll(async () => {
    store = await start();
  });

  afterAll(async () => {
    await store.stop();
  });

  it.each(NAMES)('a backup of several segments in %j is restored from there', async (container) => {
    const account = await store.account();
    const storage = { ...PLAIN_STORAGE, container };
    const source = await BackupLab.open(account, store);
    const { location, checksum } = await source.backup({ parts: { storage } });
    expect((await account.names(encodeURIComponent(container))).length).toBeGreaterThan(3);
    const target = await RestoreLab.open(account, store);
    await target.restore({ object: path.basename(location), checksum }, { location });
    const put = path.join(path.dirname(target.data), 'again.k2har');
    await target.run(`ar put ${put}`);
    expect((await readFile(put)).equals(source.archive)).toBe(true);
  });
});
