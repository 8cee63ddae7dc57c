// A real Swift whose operator has other limits than Swift's defaults (see ../ceph-rgw.test.ts).
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { BackupLab } from '../../helpers/backup-lab.ts';
import { RestoreLab } from '../../helpers/restore-lab.ts';
import { SwiftPeer, type SwiftOptions } from '../../peers/swift/swift-peer.ts';

it.each<[string, SwiftOptions, number]>([
  [
    'smaller objects, longer segments, fewer of them, and short pages',
    { maxFileSize: 1_500_000, slo: { segments: 5, leastBytes: 600_000 }, listingLimit: 2 },
    4,
  ],
  ['no large objects', { slo: null }, 0],
])('a backup is made and restored on a Swift with %s', async (_, options, segments) => {
  const swift = await SwiftPeer.start(options);
  onTestFinished(() => swift.stop());
  const account = await swift.account();
  const source = await BackupLab.open(account, swift);
  const { location, checksum } = await source.backup({ parts: { segmentBytes: 300_000 } });
  expect(await source.inSwift()).toHaveLength(segments + 1);
  const target = await RestoreLab.open(account, swift);
  await target.restore({ object: path.basename(location), checksum });
  const put = path.join(path.dirname(target.data), 'again.k2har');
  await target.run(`ar put ${put}`);
  expect((await readFile(put)).equals(source.archive)).toBe(true);
});
