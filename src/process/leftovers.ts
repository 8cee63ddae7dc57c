import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';

/**
 * Removes what a chmpx that was killed has left: its shared memory and message store, and the
 * copies that each start after such an end has moved aside, 7 MB each, forever
 * (docs/contracts/chmpx.md, 5.1). Nothing that uses them may run.
 *
 * @param files the shared files of this node: `GROUP-CTLPORT.chmpx` and `.k2h`.
 * @returns the names of what was removed.
 */
export async function removeLeftovers(files: readonly string[]): Promise<string[]> {
  const removed: string[] = [];
  for (const file of files) {
    const [directory, name] = [path.dirname(file), path.basename(file)];
    const found = await readdir(directory).catch(() => []);
    for (const one of found.filter((entry) => isLeftover(entry, name))) {
      await rm(path.join(directory, one), { force: true });
      removed.push(one);
    }
  }
  return removed;
}

/** `NAME`, `NAME.bup`, `NAME.bup.0` … */
function isLeftover(entry: string, name: string): boolean {
  return entry.startsWith(name) && /^(\.bup(\.\d+)?)?$/.test(entry.slice(name.length));
}
