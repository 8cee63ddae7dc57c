import { describe, expect, it } from 'vitest';
import { createLogger, LOG_FORMATS, type LogFormat } from '../../src/base/log.ts';
import { Secrets } from '../../src/base/secrets.ts';

function record(format: LogFormat) {
  const lines: string[] = [];
  const secrets = new Secrets();
  const write = (line: string): void => void lines.push(line);
  const log = createLogger({ format, level: 'debug', secrets, write });
  return { log, lines, secrets };
}

/** What a terminal obeys, or what hides what a line says. */
const HIDDEN = [
  '\u001b[31m',
  '\u001b]0;title\u0007',
  '\u009b31m',
  '\b\b\b',
  '\0',
  '\u007f',
  '\u0085',
  '\u202e',
  '\u2066',
  '\u200b',
  '\u2028',
  '\ufeff',
];

describe.each(LOG_FORMATS)('a line of the format %s', (format) => {
  it.each(HIDDEN)('shows %j in letters, wherever it comes from', (hidden) => {
    const { log, lines } = record(format);
    log.info(
      { value: `a${hidden}b`, list: [`a${hidden}b`], err: new Error(`a${hidden}b`) },
      `a${hidden}b`,
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]?.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    expect(lines[0]).toMatch(/a\\+[xu]/);
  });

  it('is as long as it may be, whatever is logged', () => {
    const { log, lines } = record(format);
    const long = 'x'.repeat(10_000_000);
    log.info(
      { value: long, list: [long], err: new Error(long, { cause: new Error(`y${long}`) }) },
      long,
    );
    expect(lines.join('').length).toBeLessThan(40_000);
    expect(lines[0]).toContain('… (10000000 characters)');
  });

  it('holds no secret, nor a part of one that is cut', () => {
    const { log, lines, secrets } = record(format);
    const secret = 'S3CR3T'.repeat(100);
    secrets.add('job', secret);
    for (let before = 3_300; before <= 4_100; before += 50) {
      log.info({
        value: `${'x'.repeat(before)}${secret}`,
        err: new Error(`${'x'.repeat(before)}${secret}`),
      });
    }
    for (let before = 7_300; before <= 8_100; before += 50) {
      log.info({ err: new Error(`${'x'.repeat(before)}${secret}`) });
    }
    expect(lines.join('')).not.toContain('S3CR3T');
  });

  it('leaves ordinary letters of every script as they are', () => {
    const { log, lines } = record(format);
    log.info({ value: 'Zürich 東京 🦀' }, 'ok');
    expect(lines[0]).toContain('Zürich 東京 🦀');
  });
});
