import * as v from 'valibot';
import { countSchema, md5Schema } from '../../base/schemas.ts';

/** The end of a rotated or replaced file is recognised by what the file begins with. */
const head = v.object({
  /** So many bytes of the beginning. */
  bytes: countSchema,
  md5: md5Schema,
});

/** How far a log was read: what the next read begins behind. A copy of it lies in Swift: it is no secret. */
export const positionSchema = v.variant('kind', [
  v.object({
    kind: v.literal('journal'),
    /** Of the last entry, as journalctl gives it. */
    cursor: v.pipe(v.string(), v.regex(/^[a-z0-9=;-]{1,512}$/i)),
  }),
  v.object({
    kind: v.literal('file'),
    /** Bytes since the log began, those that were rotated away included. */
    offset: countSchema,
    /** The place at which the file begins that holds the last line. */
    start: countSchema,
    head,
  }),
]);

export type Position = v.InferOutput<typeof positionSchema>;
export type FilePosition = Extract<Position, { kind: 'file' }>;

/** One whole line of a log, or one entry of the journal, which can have several. */
export interface LogLine {
  /** With its line end. */
  bytes: Buffer;
  /** So much of the log it stands for: 0 for a line of ours about what is missing. */
  source: number;
  /** Where the next read begins when this one is dealt with. */
  after: Position;
}

/** Where the lines of a log come from. */
export interface LogSource {
  /** What a person finds them by: a file, or `journal:UNIT`. */
  readonly label: string;
  /**
   * The lines after a position, or all there are. A line that nobody has ended yet is not among them: half a
   * secret cannot be recognised. Memory does not grow with the log.
   *
   * @throws AgentError when the log cannot be read.
   */
  read(from: Position | null, signal: AbortSignal): AsyncGenerator<LogLine, void>;
}

/** A longer line is left out, and a line of ours says so (bytes). */
export const LONGEST_LINE = 256 * 1024;

/** The line of ours that stands for a line which is too long. */
export function leftOut(bytes: number): Buffer {
  return Buffer.from(`[k2hdkc-guest-agent: a line of ${bytes} bytes is left out]\n`);
}
