import { describe, expect, it } from 'vitest';
import { createLogger, type LogFormat, type Logger, type LogLevel } from '../../src/base/log.ts';
import { Secrets } from '../../src/base/secrets.ts';

interface Recorded {
  log: Logger;
  secrets: Secrets;
  lines: string[];
}

function record(format: LogFormat, level: LogLevel = 'debug'): Recorded {
  const lines: string[] = [];
  const secrets = new Secrets();
  const log = createLogger({ format, level, secrets, write: (line) => lines.push(line) });
  return { log, secrets, lines };
}

describe('the journal format', () => {
  it('begins with the priority of the level', () => {
    const { log, lines } = record('journal');
    log.debug('d');
    log.info('i');
    log.warn('w');
    log.error('e');
    expect(lines).toEqual(['<7>d\n', '<6>i\n', '<4>w\n', '<3>e\n']);
  });

  it('puts what belongs to the event after its text', () => {
    const { log, lines } = record('journal');
    log.info({ pid: 7, name: 'chmpx', gone: true, none: null, list: ['a'] }, 'started');
    expect(lines).toEqual(['<6>started pid=7 name=chmpx gone=true none=null list="[\\"a\\"]"\n']);
  });

  it('quotes a value that could be mistaken for something else', () => {
    const { log, lines } = record('journal');
    log.info({ a: 'two words', b: '', c: 'x=y', d: 'say "hi"' }, 'text');
    expect(lines).toEqual([String.raw`<6>text a="two words" b="" c="x=y" d="say \"hi\""` + '\n']);
  });

  it('stays one line whatever is logged', () => {
    const { log, lines } = record('journal');
    log.info({ value: 'a\n<0>forged\r\nb', err: new Error('x\n<0>y') }, 'one\n<0>two\rthree');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^<6>one \| <0>two \| three [^\r\n]*\n$/);
  });

  it('is silent below its level', () => {
    const { log, lines } = record('journal', 'warn');
    log.info('i');
    log.warn('w');
    expect(lines).toEqual(['<4>w\n']);
  });
});

describe('the text format', () => {
  it('is the same without the priority', () => {
    const { log, lines } = record('text');
    log.info({ pid: 7 }, 'started');
    log.info({ pid: 7 });
    expect(lines).toEqual(['started pid=7\n', 'pid=7\n']);
  });
});

describe('the json format', () => {
  it('is one object per line with the time', () => {
    const { log, lines } = record('json');
    log.info({ value: 'a\nb' }, 'text');
    const [line = ''] = lines;
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(JSON.parse(line)).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      value: 'a\nb',
      msg: 'text',
    });
  });
});

describe('an error', () => {
  const shown = (err: unknown): string => {
    const { log, lines } = record('text');
    log.warn({ err }, 'failed');
    return lines[0] ?? '';
  };

  it('is shown as its message and those of its causes', () => {
    const cause = new Error('refused', { cause: new Error('port 1') });
    expect(shown(new Error('no session', { cause }))).toBe(
      'failed err="no session: refused: port 1"\n',
    );
  });

  it('does not repeat a cause that its message names', () => {
    expect(shown(new Error('no: refused', { cause: new Error('refused') }))).toBe(
      'failed err="no: refused"\n',
    );
  });

  it('ends although its causes are a circle', () => {
    const error = new Error('a');
    error.cause = new Error('b', { cause: error });
    expect(shown(error)).toBe('failed err="a: b"\n');
  });

  it('need not be an Error', () => {
    expect(shown('torn')).toBe('failed err=torn\n');
    expect(shown({ reason: 'torn' })).toContain('torn');
  });
});

describe.each(['journal', 'text', 'json'] as const)('secrets in the %s format', (format) => {
  it('are cut out wherever they are', () => {
    const { log, secrets, lines } = record(format);
    const token = 'to"ken\\xyz';
    secrets.add('job', token);
    log.info({ token, inside: { deep: [token] }, err: new Error(`401 ${token}`) }, `R=${token}`);
    log.info({ body: JSON.stringify({ token }) }, encodeURIComponent(token));
    expect(lines.join('')).not.toContain('xyz');
    expect(lines.join('').match(/\[secret\]/g)).toHaveLength(6);
  });

  it('do not break a line of which they are a part', () => {
    const { log, secrets, lines } = record(format);
    secrets.add('job', '123456', '"level', 'started');
    log.info({ pid: 123456 }, 'chmpx started');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('chmpx [secret]');
    if (format === 'json') expect(() => JSON.parse(lines[0] ?? '') as unknown).not.toThrow();
  });
});
