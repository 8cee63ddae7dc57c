import pino from 'pino';
import type { Logger } from '../../src/base/log.ts';

/** A logger that keeps the text of what is logged at `level` and above. */
export function recordingLog(level = 'info'): { log: Logger; texts: string[] } {
  const texts: string[] = [];
  const write = (line: string): void => {
    texts.push((JSON.parse(line) as { msg: string }).msg);
  };
  return { log: pino({ level }, { write }), texts };
}

/** A logger that says nothing. */
export const silentLog: Logger = pino({ level: 'silent' });
