import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/base/errors.ts';
import { parseAgentConfig } from '../../src/config/load.ts';
import { parseConfig } from '../../src/oslo/config-parser.ts';
import { OsloConfig } from '../../src/oslo/oslo-config.ts';

/** Nine times nine times nine … of the same. */
const bomb = Array.from({ length: 9 }, (_, n) => {
  const items = n === 0 ? '"x"' : `*a${n - 1}`;
  return `a${n}: &a${n} [${Array(9).fill(items).join(', ')}]`;
}).join('\n');

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message;
  }
  return 'it was taken';
}

describe('agent.yaml', () => {
  it.each([
    ['an alias bomb', `${bomb}\n`, 'agent.yaml: '],
    ['an alias of nothing', 'log: *nowhere\n', 'agent.yaml'],
    ['a section that holds itself', 'log: &log\n  level: *log\n', 'agent.yaml'],
    ['two documents', 'log:\n  level: info\n---\nlog:\n', 'another document begins'],
    ['100,000 brackets', `log: ${'['.repeat(100_000)}\n`, 'agent.yaml'],
    [
      '100,000 closed brackets',
      `log: ${'['.repeat(100_000)}${']'.repeat(100_000)}\n`,
      'agent.yaml',
    ],
    ['.inf', 'cluster:\n  start_timeout: .inf\n', 'cluster.start_timeout'],
    ['-.inf', 'cluster:\n  start_timeout: -.inf\n', 'cluster.start_timeout'],
    ['.nan', 'cluster:\n  start_timeout: .nan\n', 'cluster.start_timeout'],
    ['1e400', 'trove:\n  prepare_timeout: 1e400\n', 'trove.prepare_timeout'],
    ['1e300', 'k2hr3:\n  poll_interval: 1e300\n', 'must be at most 31536000'],
    ['1e400 of MiB', 'amqp:\n  largest_message: 1e400\n', 'amqp.largest_message'],
    ['__proto__', '__proto__:\n  a: 1\n', 'unknown key'],
    ['a tag', 'log: !!js/function "x"\n', 'agent.yaml'],
  ])('with %s is refused in one line', (_, text, message) => {
    const said = refusal(() => parseAgentConfig(text, 'agent.yaml'));
    expect(said).toContain(message);
    expect(said).not.toMatch(/\n|YAML\./);
    expect(said.length).toBeLessThan(1_000);
  });
});

describe('files of oslo.config', () => {
  const read = (text: string): unknown =>
    new OsloConfig(parseConfig(text, 'guest.conf')).string('DEFAULT', 'a0');

  it.each([7, 9])('with 8 references in each of %i options are refused', (depth) => {
    const lines = Array.from({ length: depth }, (_, n) => `a${n} = ${`$a${n + 1}`.repeat(8)}`);
    const text = `[DEFAULT]\n${lines.join('\n')}\na${depth} = x\n`;
    expect(refusal(() => read(text))).toContain('more than 1000 references');
  });

  it('with options that refer to each other are refused', () => {
    expect(refusal(() => read('[DEFAULT]\na0 = $a1\na1 = $a0\n'))).toContain('guest.conf');
  });

  it('with a value that grows without end are refused', () => {
    const text = `[DEFAULT]\na0 = ${'$a1'.repeat(100)}\na1 = ${'x'.repeat(100_000)}\n`;
    expect(refusal(() => read(text))).toContain('characters');
  });
});
