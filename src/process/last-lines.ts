import { open } from 'node:fs/promises';

/** The last few lines of a file, joined to one; empty when they cannot be read. Never rejects. */
export async function lastLines(file: string, count = 3, maxBytes = 2048): Promise<string> {
  const handle = await open(file, 'r').catch(() => null);
  if (!handle) return '';
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.min(size, maxBytes));
    await handle.read(buffer, 0, buffer.length, size - buffer.length);
    const lines = buffer.toString('utf8').split('\n');
    return lines
      .map((line) => line.trim())
      .filter(Boolean)
      .slice(-count)
      .join(' | ');
  } catch {
    return '';
  } finally {
    await handle.close();
  }
}
