/**
 * Names of the objects of a backup, as Trove's own agent gives them (docs/contracts/swift.md, 3.1).
 */

/** The backup itself. No slash in it: Trove takes locations apart at slashes. */
export function backupObject(backupId: string): string {
  return `${backupId}.gz`;
}

/** One of its segments, counted from 0. */
export function segmentObject(backupId: string, index: number): string {
  return `${backupId}_${String(index).padStart(8, '0')}`;
}

/** What the names of an object's segments begin with: everything before its first dot. */
export function segmentStem(object: string): string {
  return object.split('.', 1)[0] ?? object;
}

/** Which segment of this backup an object is; null when it is none. */
export function segmentIndex(backupId: string, object: string): number | null {
  const rest = object.startsWith(backupId) ? object.slice(backupId.length) : '';
  return /^_\d{8}$/.test(rest) ? Number(rest.slice(1)) : null;
}
