import { createHash } from 'node:crypto';
import type { FilePosition, LogLine, LogSource } from '../../../src/guest/logs/log-source.ts';

/** A position in a file that was never rotated. */
export function positionAt(offset: number): FilePosition {
  return { kind: 'file', offset, start: 0, head: { bytes: 0, md5: md5Of('') } };
}

export function md5Of(bytes: Uint8Array | string): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** These lines, each with its end, as a source gives them. */
export async function* linesOf(...texts: string[]): AsyncGenerator<LogLine, void> {
  let at = 0;
  for (const text of texts) {
    const bytes = Buffer.from(text, 'latin1');
    at += bytes.length;
    yield await Promise.resolve({ bytes, source: bytes.length, after: positionAt(at) });
  }
}

/** All that a source gives, from the beginning or from a position on. */
export async function readAll(
  source: LogSource,
  from: LogLine['after'] | null = null,
): Promise<LogLine[]> {
  const all: LogLine[] = [];
  for await (const line of source.read(from, new AbortController().signal)) all.push(line);
  return all;
}

export function textOf(lines: readonly LogLine[]): string {
  return Buffer.concat(lines.map(({ bytes }) => bytes)).toString();
}
