import { open } from 'node:fs/promises';

/** The last few lines of a file, joined to one; empty when they cannot be read. Never rejects. */
export async function lastLines(file: string, count = 3, maxBytes = 2048): Promise<string> {
  const handle = await open(file, 'r').catch(() => null);
  if (!handle) return '';
  try {
    const { size } = await handle.stat();
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
