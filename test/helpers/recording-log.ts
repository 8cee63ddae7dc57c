import pino from 'pino';
import type { Logger } from '../../src/base/log.ts';

/** A logger that keeps what is logged at `level` and above: the texts, and all of it. */
export function recordingLog(level = 'info'): {
  log: Logger;
  texts: string[];
  lines: Record<string, unknown>[];
} {
  const texts: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => {
    const fields = JSON.parse(line) as { msg: string };
    texts.push(fields.msg);
    lines.push(fields);
  };
  return { log: pino({ level }, { write }), texts, lines };
}

/** A logger that says nothing. */
export const silentLog: Logger = pino({ level: 'silent' });
