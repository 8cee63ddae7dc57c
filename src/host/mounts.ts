import { readFile } from 'node:fs/promises';
import { withoutTrailing } from '../base/text.ts';

/** Whether something is mounted exactly at `directory`, by the kernel's own table. */
export async function isMountPoint(
  directory: string,
  table = '/proc/self/mounts',
): Promise<boolean> {
  const wanted = withoutTrailing(directory, '/') || '/';
  const lines = (await readFile(table, 'utf8')).split('\n');
  return lines.some((line) => unescape(line.split(' ')[1] ?? '') === wanted);
}

/** The kernel writes space, tab, newline and backslash as octal escapes. */
function unescape(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
