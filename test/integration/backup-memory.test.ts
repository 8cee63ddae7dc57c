import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { writeArchive } from '../../bench/backup-archives.ts';
import { Contest } from '../../bench/backup-contest.ts';
import { bundle } from '../helpers/bundle.ts';
import { randomFrom } from '../helpers/random-from.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { SwiftPeer } from '../peers/swift/swift-peer.ts';

const BYTES = 200 * 1024 ** 2;
/**
 * By how much the agent may grow while it backs up or restores, whatever the size of the data (MiB). On a
 * quiet machine it is 22 and 28 to 31.
 */
const MOST_GROWTH = 48;
/**
 * For what part of the whole time nothing else gets a turn, at most, on a busy machine too: an answer to
 * Trove does not wait for a backup. What the turns are in milliseconds is measured by bench:backup.
 */
const LONGEST_TURN = 1 / 20;

it('200 MiB are backed up and restored in little memory, in short turns', async () => {
  const directory = await temporaryDirectory();
  const swift = await SwiftPeer.start();
  onTestFinished(() => swift.stop());
  const account = await swift.account();
  await account.makeContainer('database_backups');
  const file = path.join(directory, 'archive.k2har');
  const facts = await writeArchive(file, 'incompressible', BYTES, randomFrom(7));
  const own = path.join(directory, 'own');
  await mkdir(own);
  const subject = await bundle('bench/backup-subject.ts', directory);
  const parts = { swift, account, subject, level: 1, directory: own };
  const contest = await Contest.open(parts, { file, ...facts });
  for (const { growth, turn = Infinity, temporary, wall } of await contest.agent()) {
    expect(growth).toBeLessThan(MOST_GROWTH);
    expect(turn).toBeLessThan(wall * 1_000 * LONGEST_TURN);
    expect(temporary).toBeLessThan(1);
  }
});
