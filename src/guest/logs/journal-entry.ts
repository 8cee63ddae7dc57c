import * as v from 'valibot';
import { jsonOf } from '../../base/text.ts';
import { utcText } from './utc-text.ts';

/** An entry as `journalctl --output=json --all` gives it: a text, the numbers of bytes that are none, or both. */
const field = v.optional(v.unknown());
const schema = v.object({
  __CURSOR: v.string(),
  __REALTIME_TIMESTAMP: v.pipe(v.string(), v.regex(/^\d{1,16}$/)),
  MESSAGE: field,
  SYSLOG_IDENTIFIER: field,
  _PID: field,
  _STREAM_ID: field,
  _LINE_BREAK: field,
});

/** What a log needs of an entry. */
export interface JournalEntry {
  cursor: string;
  /** `2026-11-30T23:59:59.123456Z chmpx[123]: ` */
  prefix: string;
  message: Buffer;
  /** The stream that it came by, when it is the beginning of a line that the next entry of it goes on with. */
  goesOn: string | null;
  stream: string | null;
}

/** The fields that are asked for. */
export const ENTRY_FIELDS = [
  'MESSAGE',
  'SYSLOG_IDENTIFIER',
  '_PID',
  '_STREAM_ID',
  '_LINE_BREAK',
] as const;

/** Reads one line of journalctl; null when it is no entry. */
export function parseEntry(line: Buffer): JournalEntry | null {
  const read = v.safeParse(schema, jsonOf(line.toString()));
  if (!read.success) return null;
  const entry = read.output;
  const stream = textOf(entry._STREAM_ID) || null;
  const pid = textOf(entry._PID);
  const name = textOf(entry.SYSLOG_IDENTIFIER);
  const who = pid === '' ? name : `${name}[${pid}]`;
  return {
    cursor: entry.__CURSOR,
    prefix: `${utcText(Number(entry.__REALTIME_TIMESTAMP))}Z ${who}: `,
    message: bytesOf(entry.MESSAGE),
    goesOn: textOf(entry._LINE_BREAK) === 'line-max' ? stream : null,
    stream,
  };
}

/** A field that an entry has several times is a list of such values. */
function bytesOf(value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.from(value);
  if (!Array.isArray(value)) return Buffer.alloc(0);
  const isBytes = value.every((one) => typeof one === 'number');
  return isBytes ? Buffer.from(value) : bytesOf(value[0]);
}

function textOf(value: unknown): string {
  return bytesOf(value).toString();
}
