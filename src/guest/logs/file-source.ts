import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { AgentError, codeOf, messageOf } from '../../base/errors.ts';
import { md5Of } from '../../base/md5.ts';
import { readOutputStarts } from '../../process/output-starts.ts';
import {
  leftOut,
  LONGEST_LINE,
  type FilePosition,
  type LogLine,
  type LogSource,
  type Position,
} from './log-source.ts';
import { splitLines } from './split-lines.ts';

/** One file of a log, and the place in the log at which it begins. */
interface Part {
  handle: FileHandle;
  start: number;
  size: number;
  head: FilePosition['head'];
}

/** Where reading begins, and whether a line does so there, too. */
interface Begin {
  at: number;
  atLine: boolean;
}

const BLOCK_BYTES = 64 * 1024;
const HEAD_BYTES = 256;
/** A file of the agent; a link would lead to one of somebody else, and a pipe would be waited for. */
const HOW = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const GONE = Buffer.from('[k2hdkc-guest-agent: lines before this one are gone]\n');

/** A log in a file, and in `FILE.1` before it when the agent itself rotates it (src/process/output-file.ts). */
export class FileSource implements LogSource {
  readonly label: string;

  constructor(file: string) {
    this.label = file;
  }

  async *read(from: Position | null, signal: AbortSignal): AsyncGenerator<LogLine, void> {
    const parts: Part[] = [];
    try {
      const { before, current } = await readOutputStarts(this.label);
      const rotated = before === null ? null : await openPart(`${this.label}.1`, before);
      if (rotated !== null) parts.push(rotated);
      // What was rotated away ends where the file begins; any other one is of another time.
      if (rotated !== null && rotated.start + rotated.size !== current) {
        parts.pop();
        await rotated.handle.close();
      }
      const file = await openPart(this.label, current);
      if (file === null) return; // the program was never started
      parts.push(file);
      yield* this.#lines(parts, file, from, signal);
    } catch (error) {
      if (error instanceof AgentError || signal.aborted) throw error;
      const why = messageOf(error);
      throw new AgentError(`the log ${this.label} cannot be read: ${why}`, { cause: error });
    } finally {
      await Promise.all(parts.map(({ handle }) => handle.close()));
    }
  }

  async *#lines(
    parts: readonly Part[],
    file: Part,
    from: Position | null,
    signal: AbortSignal,
  ): AsyncGenerator<LogLine, void> {
    const begin = await beginOf(parts[0] ?? file, file, from?.kind === 'file' ? from : null);
    let { at } = begin;
    let isWhole = begin.atLine;
    const after = (): FilePosition => {
      const { start, head } = parts.findLast((part) => part.start < at) ?? file;
      return { kind: 'file', offset: at, start, head };
    };
    for await (const line of splitLines(this.#blocks(parts, at, signal), LONGEST_LINE)) {
      const { bytes, length } = line;
      at += length;
      if (isWhole) yield { bytes: bytes ?? leftOut(length), source: length, after: after() };
      else yield { bytes: GONE, source: 0, after: after() };
      isWhole = true;
    }
  }

  /** Ends when the file is rotated meanwhile: its bytes have other places then. */
  async *#blocks(
    parts: readonly Part[],
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer, void> {
    const file = parts.at(-1);
    let at = from;
    for (const { handle, start, size } of parts) {
      while (at < start + size) {
        signal.throwIfAborted();
        const block = Buffer.alloc(Math.min(BLOCK_BYTES, start + size - at));
        const { bytesRead } = await handle.read(block, 0, block.length, at - start);
        const { current } = await readOutputStarts(this.label);
        if (bytesRead === 0 || current !== file?.start) return;
        at += bytesRead;
        yield block.subarray(0, bytesRead);
      }
    }
  }
}

/**
 * Where reading goes on behind `known`: in the same file, in what was rotated away, or where what there is
 * begins. A file that is not the one of `known` is new from its beginning on.
 */
async function beginOf(first: Part, file: Part, known: FilePosition | null): Promise<Begin> {
  if (known === null) return { at: first.start, atLine: first.start === 0 };
  if (known.start === file.start) {
    const { md5 } = await headOf(file.handle, known.head.bytes);
    const isSame = known.offset <= file.start + file.size && md5 === known.head.md5;
    return { at: isSame ? known.offset : file.start, atLine: true };
  }
  if (known.start > file.start) return { at: first.start, atLine: first.start === 0 };
  const isThere = known.offset >= first.start;
  return { at: isThere ? known.offset : first.start, atLine: isThere };
}

/** Null when there is no such file. */
async function openPart(file: string, start: number): Promise<Part | null> {
  try {
    const handle = await open(file, HOW);
    try {
      const found = await handle.stat();
      if (!found.isFile()) throw new AgentError(`the log ${file} is not a file`);
      return { handle, start, size: found.size, head: await headOf(handle, HEAD_BYTES) };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** What a file begins with: at most `most` bytes of it. */
async function headOf(handle: FileHandle, most: number): Promise<FilePosition['head']> {
  const bytes = Buffer.alloc(Math.min(most, HEAD_BYTES));
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
  return { bytes: bytesRead, md5: md5Of(bytes.subarray(0, bytesRead)) };
}
