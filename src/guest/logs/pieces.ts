import { md5Of } from '../../base/md5.ts';
import type { Secrets } from '../../base/secrets.ts';
import type { LogLine, Position } from './log-source.ts';
import { readable } from './readable.ts';

/** What becomes one object in Swift. */
export interface Piece {
  /** Whole lines, without secrets. */
  body: Buffer;
  lines: number;
  /** Bytes of the log that it stands for. */
  source: number;
  after: Position;
  /** MD5 of its first line, with its line end. */
  firstLine: string;
}

/** How lines become pieces. */
export interface PieceParts {
  secrets: Secrets;
  /** Bytes of a piece; a longer line is a piece of its own. */
  limitBytes: number;
  /** The first piece stands for so much of the log: it may be in Swift already. */
  firstSource: number | null;
}

/** However large `guest_log_limit` is, no more is held in memory (bytes). */
const MOST_BYTES = 4 * 1024 * 1024;

/** Puts lines together to pieces, without what is secret. A piece with no bytes is not given out. */
export async function* piecesOf(
  lines: AsyncIterable<LogLine>,
  { secrets, limitBytes, firstSource }: PieceParts,
): AsyncGenerator<Piece, void> {
  const most = Math.min(limitBytes, MOST_BYTES);
  let open = new OpenPiece();
  let fixed = firstSource;
  for await (const line of lines) {
    const clean = readable(secrets.scrubBytes(line.bytes));
    const isFull = fixed === null ? open.bytes + clean.length > most : open.source >= fixed;
    if (isFull && open.bytes > 0) {
      yield open.close();
      open = new OpenPiece();
      fixed = null;
    }
    open.add(clean, line);
  }
  if (open.bytes > 0) yield open.close();
}

class OpenPiece {
  bytes = 0;
  source = 0;
  readonly #parts: Buffer[] = [];
  #after: Position | null = null;

  add(clean: Buffer, { source, after }: LogLine): void {
    this.#parts.push(clean);
    this.bytes += clean.length;
    this.source += source;
    this.#after = after;
  }

  /** Only when there is a line in it. */
  close(): Piece {
    const [first] = this.#parts;
    if (first === undefined || this.#after === null) throw new Error('a piece without a line');
    const body = Buffer.concat(this.#parts);
    const firstLine = first.subarray(0, first.indexOf('\n') + 1);
    return {
      body,
      lines: body.reduce((count, byte) => (byte === 0x0a ? count + 1 : count), 0),
      source: this.source,
      after: this.#after,
      firstLine: md5Of(firstLine),
    };
  }
}
