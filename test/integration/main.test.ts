import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runAgent, type Ending } from '../helpers/run-agent.ts';
import { guestInfoConf, troveGuestagentConf } from '../peers/trove/guest-files.ts';

const GUEST = guestInfoConf({ id: 'an-instance', key: 'k'.repeat(32) });
const TROVE = troveGuestagentConf({
  transportUrl: 'rabbit://trove:hidden-password@127.0.0.1:1/',
  controlExchange: 'trove',
});

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-start-'));
  await mkdir(path.join(directory, 'conf.d'));
});
afterEach(async () => rm(directory, { recursive: true }));

/** Starts the built product with these files and waits until it has ended by itself. */
async function start(files: Record<string, string>, words?: string[]): Promise<Ending> {
  const yaml = `paths:\n  state_dir: ${directory}/state\n`;
  for (const [name, text] of Object.entries({ 'agent.yaml': yaml, ...files })) {
    await writeFile(path.join(directory, name), text);
  }
  const defaults = [
    'run',
    '--config-dir',
    `${directory}/conf.d`,
    '--config',
    `${directory}/agent.yaml`,
  ];
  return runAgent(words ?? defaults);
}

const good = { 'conf.d/guest_info.conf': GUEST, 'conf.d/trove-guestagent.conf': TROVE };

describe('a mistake in the configuration ends the agent with one line and 78', () => {
  it.each<[string, Record<string, string>, RegExp]>([
    ['no guest_info.conf', { 'conf.d/trove-guestagent.conf': TROVE }, /guest_id is not set/],
    ['no trove-guestagent.conf', { 'conf.d/guest_info.conf': GUEST }, /transport_url is not set/],
    [
      'a line that is none',
      { ...good, 'conf.d/guest_info.conf': '[DEFAULT]\nguest_id\n' },
      /guest_info\.conf.*2/,
    ],
    [
      'no guest_id',
      { ...good, 'conf.d/guest_info.conf': GUEST.replace(/guest_id=.*/, '') },
      /guest_id is not set/,
    ],
    [
      'another datastore',
      { ...good, 'conf.d/guest_info.conf': GUEST.replace('=k2hdkc', '=mysql') },
      /datastore_manager is "mysql"/,
    ],
    [
      'a transport_url of another kind',
      { ...good, 'conf.d/trove-guestagent.conf': TROVE.replace('rabbit://', 'kafka://') },
      /transport_url/,
    ],
    [
      'an unknown key',
      { ...good, 'agent.yaml': 'log:\n  colour: red\n' },
      /agent\.yaml line 2: unknown key log\.colour/,
    ],
    ['a broken agent.yaml', { ...good, 'agent.yaml': 'log: [\n' }, /agent\.yaml line \d/],
    [
      'a port above 32767',
      { ...good, 'agent.yaml': 'cluster:\n  server_port: 40020\n' },
      /line 2: cluster\.server_port = 40020 must be at most 32767/,
    ],
    [
      'a CA file that is not there',
      { ...good, 'agent.yaml': 'k2hr3:\n  ca_file: /nonexistent/ca.pem\n' },
      /k2hr3\.ca_file \/nonexistent\/ca\.pem/,
    ],
  ])('%s', async (_, files, message) => {
    const { code, stderr, stdout } = await start(files);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).not.toContain('hidden-password');
    expect(stdout).toBe('');
    expect(code).toBe(78);
    expect(existsSync(path.join(directory, 'state'))).toBe(false);
  });

  it('a directory that is not there', async () => {
    const { code, stderr } = await start({}, ['run', '--config-dir', '/nonexistent']);
    expect(stderr).toMatch(/^k2hdkc-agent: .*\/nonexistent.*\n$/);
    expect(code).toBe(78);
  });

  it('an agent.yaml that was named and is not there', async () => {
    const words = ['run', '--config-dir', `${directory}/conf.d`, '--config', '/nonexistent.yaml'];
    const { code, stderr } = await start(good, words);
    expect(stderr).toMatch(/^k2hdkc-agent: cannot read \/nonexistent\.yaml.*\n$/);
    expect(code).toBe(78);
  });
});

describe('the command line', () => {
  it.each([[['walk']], [['run', '--colour']], [[]], [['run', '--log-level', 'loud']]])(
    '%j is refused with one line and 64',
    async (words) => {
      const { code, stderr } = await start({}, words);
      expect(stderr).toMatch(/^k2hdkc-agent: .*--help\n$/);
      expect(code).toBe(64);
    },
  );

  it('answers --help and --version', async () => {
    expect((await start({}, ['--help'])).stdout).toContain('k2hdkc-agent run');
    expect((await start({}, ['--version'])).stdout).toMatch(/^k2hdkc-agent \d+\.\d+\.\d+\n$/);
  });
});
