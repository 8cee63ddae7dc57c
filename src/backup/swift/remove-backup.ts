import { backupObject, segmentIndex, segmentObject } from './object-names.ts';
import { patiently, type PatienceParts } from './patience.ts';
import type { SwiftClient } from './swift-client.ts';

/** Lists of containers lag behind, so they are looked at twice. */
const PASSES = 2;

/**
 * Removes whatever there is of a backup in Swift: Trove knows no location of a failed one, and so
 * removes nothing (docs/contracts/swift.md, 3.4).
 */
export async function removeBackup(
  client: SwiftClient,
  { container, backupId }: { container: string; backupId: string },
  patience: PatienceParts,
): Promise<void> {
  const remove = (name: string): Promise<void> =>
    patiently(patience, () => client.delete(container, name));
  for (let pass = 0; pass < PASSES; pass++) {
    const listed = await patiently(patience, () => client.list(container, backupId));
    const indices = listed
      .map(({ name }) => segmentIndex(backupId, name))
      .filter((index) => index !== null);
    // May not be in the list yet. A list can be too long for the arguments of one call.
    const newest = indices.reduce((most, index) => Math.max(most, index), -1) + 1;
    await remove(backupObject(backupId)); // first, because it names the others
    for (const index of [...indices, newest]) await remove(segmentObject(backupId, index));
  }
}
