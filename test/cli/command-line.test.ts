import { describe, expect, it } from 'vitest';
import { HELP, parseCommandLine, UsageError } from '../../src/cli/command-line.ts';
import { EXIT } from '../../src/cli/exit-codes.ts';

const DEFAULTS = {
  configDirectory: '/etc/trove/conf.d',
  configFile: '/etc/k2hdkc-guest-agent/agent.yaml',
  configFileNamed: false,
  logFormat: undefined,
  logLevel: undefined,
};

describe('run', () => {
  it('has the places of a guest image as defaults', () => {
    expect(parseCommandLine(['run'])).toEqual({ name: 'run', options: DEFAULTS });
  });

  it('takes its options before or after it, with or without an equals sign', () => {
    const options = {
      configDirectory: '/a',
      configFile: '/b.yaml',
      configFileNamed: true,
      logFormat: 'json',
      logLevel: 'debug',
    };
    const expected = { name: 'run', options };
    const words = [
      '--config-dir',
      '/a',
      '--config=/b.yaml',
      '--log-format=json',
      '--log-level',
      'debug',
    ];
    expect(parseCommandLine(['run', ...words])).toEqual(expected);
    expect(parseCommandLine([...words, 'run'])).toEqual(expected);
  });
});

describe('status', () => {
  const { configFile, configFileNamed } = DEFAULTS;
  it('reads the same agent.yaml', () => {
    expect(parseCommandLine(['status'])).toEqual({
      name: 'status',
      options: { configFile, configFileNamed, json: false },
    });
    expect(parseCommandLine(['status', '--json', '--config', '/b.yaml'])).toEqual({
      name: 'status',
      options: { configFile: '/b.yaml', configFileNamed: true, json: true },
    });
  });
});

describe('help and version', () => {
  it.each([
    [['--help'], 'help'],
    [['-h'], 'help'],
    [['run', '--help'], 'help'],
    [['--version'], 'version'],
    [['run', '--version'], 'version'],
    [['--help', '--version'], 'help'],
  ])('%j is %s', (words, name) => {
    expect(parseCommandLine(words)).toEqual({ name });
  });

  it('names every option there is', () => {
    const options = [
      '--config-dir',
      '--config',
      '--log-format',
      '--log-level',
      '--json',
      '--version',
    ];
    for (const option of options) expect(HELP).toContain(option);
    for (const code of Object.values(EXIT)) expect(HELP).toMatch(new RegExp(` ${code} `));
  });
});

describe('a wrong command line', () => {
  it.each([
    [[], 'what should be done? A command is missing'],
    [['start'], 'there is no command "start"'],
    [['run', 'now', 'please'], '"now please" is too much'],
    [['run', '--confg', 'x'], "Unknown option '--confg'"],
    [['run', '--config'], "Option '--config <value>' argument missing"],
    [['run', '--config', '--log-level', 'info'], "'--config' argument is ambiguous"],
    [['run', '--json'], 'run has no option --json'],
    [['status', '--log-level', 'info'], 'status has no option --log-level'],
    [['run', '--help=yes'], "Option '-h, --help' does not take an argument"],
    [['run', '--log-level', 'loud'], '--log-level loud must be one of debug, info, warn, error'],
    [['run', '--log-format', 'xml'], '--log-format xml must be one of journal, text, json'],
    [['run', '--log-format', ''], '--log-format  must be one of'],
  ])('%j says what is wrong in one line', (words, text) => {
    expect(() => parseCommandLine(words)).toThrow(UsageError);
    try {
      parseCommandLine(words);
    } catch (error) {
      const { message } = error as UsageError;
      expect(message).toContain(text);
      expect(message).toMatch(/; see k2hdkc-agent --help$/);
      expect(message).not.toContain('\n');
    }
  });
});
