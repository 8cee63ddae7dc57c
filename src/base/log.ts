import pino from 'pino';
import { messageOf } from './errors.ts';
import type { Secrets } from './secrets.ts';
import { excerpt, onOneLine, visible } from './text.ts';

/** Where lines go: `journal` = `<N>text key=value`, `text` the same without the prefix, `json`. */
export const LOG_FORMATS = ['journal', 'text', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];
/** pino's levels, lowest first. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type Logger = pino.Logger;

export interface LogOptions {
  format: LogFormat;
  level: LogLevel;
  secrets: Secrets;
  /** Takes one whole line, newline included. */
  write: (line: string) => void;
}

/** syslog priorities as systemd reads them from a `<N>` prefix (sd-daemon(3)). */
const PRIORITY: Record<number, number> = { 10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };

/** No value of a line is longer (characters). */
const LONGEST_VALUE = 4_000;

/**
 * The agent's logger: one line per event, `log.info({ key: value }, 'text')`, every line scrubbed
 * of secrets, every value cut after 4,000 characters and shown in letters only. Errors are passed as
 * `{ err }` and shown as their message.
 */
export function createLogger(options: LogOptions): Logger {
  const { format, secrets } = options;
  // Scrubbed before it is cut: half a secret would not be known any more.
  const clean = (value: unknown): unknown =>
    typeof value === 'string' ? excerpt(secrets.scrub(value), LONGEST_VALUE) : value;
  const write = (line: string): void => {
    // Texts are scrubbed one by one: a number or a key that looks like a secret is none, and cutting
    // it out of the line would leave no JSON.
    const event = JSON.parse(line, (_, value: unknown) => {
      const cut = clean(value);
      return typeof cut === 'string' ? visible(cut) : cut;
    }) as Record<string, unknown>;
    options.write(format === 'json' ? toJson(event) : toText(event, format === 'journal'));
  };
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: format === 'json' ? pino.stdTimeFunctions.isoTime : false,
      serializers: { err: (err: unknown) => errorChain(err) },
      // Before pino makes a line of it, which would be as long as what was sent to us.
      formatters: {
        log: (fields) =>
          Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, clean(value)])),
      },
    },
    { write },
  );
}

/** The message of an error followed by those of its causes. */
function errorChain(thrown: unknown): string {
  const messages: string[] = [];
  let current = thrown;
  // Bounded: the causes of an error can be a circle.
  for (let depth = 0; depth < 5 && (depth === 0 || current !== undefined); depth++) {
    const message = messageOf(current);
    if (!messages.some((said) => said.includes(message))) messages.push(message);
    current = current instanceof Error ? current.cause : undefined;
  }
  return messages.join(': ');
}

function toJson(event: Record<string, unknown>): string {
  return `${JSON.stringify(event)}\n`;
}

function toText(event: Record<string, unknown>, priority: boolean): string {
  const { level, msg, ...fields } = event;
  const prefix = priority ? `<${PRIORITY[level as number] ?? 6}>` : '';
  const words = Object.entries(fields).map(([key, value]) => `${key}=${fieldText(value)}`);
  const text = typeof msg === 'string' ? onOneLine(msg, ' | ') : '';
  return `${prefix}${[text, ...words].filter(Boolean).join(' ')}\n`;
}

function fieldText(value: unknown): string {
  const text = typeof value === 'string' ? value : excerpt(JSON.stringify(value), LONGEST_VALUE);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
