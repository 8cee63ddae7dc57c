import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/base/errors.ts';
import { loadAgentConfig, parseAgentConfig } from '../../src/config/load.ts';

const parse = (text: string) => parseAgentConfig(text, 'agent.yaml');

describe('agent.yaml', () => {
  it('has a default for every key', () => {
    const config = parse('');
    expect(config.paths.state_dir).toBe('/var/lib/k2hdkc-guest-agent');
    expect(config.trove.heartbeat_interval).toBe(30);
  });

  it('takes what the file says and keeps the other defaults', () => {
    const config = parse('cluster:\n  server_port: 9020\nlog:\n');
    expect(config.cluster.server_port).toBe(9020);
    expect(config.cluster.server_control_port).toBeNull();
    expect(config.log.level).toBe('info');
  });

  it.each([
    ['unknown section', 'logs:\n  level: info\n', 'agent.yaml line 1: unknown key logs'],
    ['unknown empty section', 'lgo:\n', 'agent.yaml line 1: unknown key lgo'],
    ['unknown key', 'log:\n  levle: info\n', 'agent.yaml line 2: unknown key log.levle'],
    [
      'port above 32767',
      'cluster:\n  server_port: 40020\n',
      'line 2: cluster.server_port = 40020 must be at most 32767',
    ],
    [
      'port as text',
      'cluster:\n  server_port: "8020"\n',
      'line 2: cluster.server_port = "8020" must be a number',
    ],
    ['word not in the list', 'log:\n\n  level: loud\n', 'line 3: log.level must be one of'],
    [
      'relative path',
      'paths:\n  state_dir: here\n',
      'line 2: paths.state_dir = "here" must be an absolute path',
    ],
    ['ini with another suffix', 'paths:\n  ini_file: /etc/x.conf\n', 'must end with .ini'],
    ['section that is a word', 'log: info\n', 'agent.yaml line 1: log must be a section'],
    ['a list', '- a\n', 'must be a map'],
    ['duplicate key', 'log:\n  level: info\n  level: warn\n', 'agent.yaml line 3'],
    ['broken YAML', 'log: {\n', 'agent.yaml line'],
    ['another mode', 'mode: client\n', 'agent.yaml line 1: mode must be one of'],
    ['a list in the ini', 'ini:\n  global:\n    REPLICA: [1]\n', 'line 3: ini.global.REPLICA ='],
    ['a URL that is none', 'slave:\n  api_uri: k2hr3\n', 'slave.api_uri = (not shown) must be an'],
    [
      'a network that is none',
      'node:\n  network: eth1\n',
      'line 2: node.network = "eth1" must be auto, user',
    ],
    ['heartbeat too slow', 'trove:\n  heartbeat_interval: 90\n', 'must be at most 60'],
  ])('refuses %s in one line that says where', (_, text, message) => {
    expect(() => parse(text)).toThrow(ConfigurationError);
    expect(() => parse(text)).toThrow(message);
    try {
      parse(text);
    } catch (error) {
      expect((error as Error).message).not.toContain('\n');
    }
  });

  it('may be absent only when nobody named it', async () => {
    await expect(loadAgentConfig('/nonexistent/agent.yaml', { mustExist: false })).resolves.toEqual(
      parse(''),
    );
    await expect(loadAgentConfig('/nonexistent/agent.yaml', { mustExist: true })).rejects.toThrow(
      'cannot read /nonexistent/agent.yaml',
    );
  });

  it('config/agent.yaml documents exactly the keys there are, with their defaults', async () => {
    const documented = await readFile(new URL('../../config/agent.yaml', import.meta.url), 'utf8');
    const uncommented = documented.replaceAll(/^#( *[a-z_0-9]+:.*)$/gm, '$1');
    expect(uncommented).not.toBe(documented);
    expect(parse(uncommented)).toEqual(parse(''));
    const keys = Object.entries(parse('')).flatMap(([section, values]) => [
      section,
      ...(typeof values === 'object' ? Object.keys(values) : []),
    ]);
    for (const key of keys) expect(uncommented).toMatch(new RegExp(`^ *${key}:`, 'm'));
  });
});
