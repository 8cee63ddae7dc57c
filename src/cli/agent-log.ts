import type { Writable } from 'node:stream';
import { LineOutput } from '../base/line-output.ts';
import { createLogger, type Logger, type LogOptions } from '../base/log.ts';

/** A logger whose lines go to a stream, which says how many of them nobody took. */
export function openLog(stream: Writable, options: Omit<LogOptions, 'write'>): Logger {
  const output = new LineOutput(stream);
  const write = (line: string): void => {
    output.write(line);
  };
  const log = createLogger({ ...options, write });
  output.onTakenAgain = (lost) => {
    // The highest level: a log that holds errors only has lost them too.
    log.error({ lost }, 'lines of this log were lost: nobody took them');
  };
  return log;
}
