import { readFile } from 'node:fs/promises';
import { withoutTrailing } from '../base/text.ts';

/** Whether something is mounted exactly at `directory`, by the kernel's own table. */
export async function isMountPoint(
  directory: string,
  table = '/proc/self/mounts',
): Promise<boolean> {
  const wanted = withoutTrailing(directory, '/') || '/';
  const mounts = tableOfMounts(await readFile(table, 'utf8'));
  return mounts.some(({ mountPoint }) => mountPoint === wanted);
}

/** What a table of mounts says, in the order in which they were mounted: fstab(5). */
export function tableOfMounts(text: string): { device: string; mountPoint: string }[] {
  return text.split('\n').map((line) => {
    const [device = '', mountPoint = ''] = line.split(' ');
    return { device: unescape(device), mountPoint: unescape(mountPoint) };
  });
}

/** The kernel writes space, tab, newline and backslash as octal escapes. */
function unescape(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
