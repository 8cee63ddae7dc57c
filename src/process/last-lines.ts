import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * The last few lines of a file, joined to one; empty when they cannot be read. Never rejects, and never
 * waits for a pipe that has the file's name.
 */
export async function lastLines(file: string, count = 3, maxBytes = 2048): Promise<string> {
  const handle = await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => null);
  if (!handle) return '';
  try {
    const found = await handle.stat();
    if (!found.isFile()) return '';
    const { size } = found;
    const buffer = Buffer.alloc(Math.min(size, maxBytes));
    await handle.read(buffer, 0, buffer.length, size - buffer.length);
    return joinLines(buffer.toString('utf8'), count);
  } catch {
    return '';
  } finally {
    await handle.close();
  }
}

/** The last few lines of a text, joined to one. */
export function joinLines(text: string, count = 3): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .slice(-count)
    .join(' | ');
}
