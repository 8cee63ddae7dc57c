import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNodeSettings, readSettings, type RunOptions } from '../../src/app/settings.ts';
import { ConfigurationError } from '../../src/base/errors.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const GUEST_INFO = '[DEFAULT]\nguest_id = g-1\ndatastore_manager = k2hdkc\n';
const GUEST_AGENT = '[DEFAULT]\ntransport_url = rabbit://u:password@192.0.2.1/\n';

interface Files {
  guestInfo?: string;
  guestAgent?: string;
  agentYaml?: string;
}

/** A directory as Trove and an operator leave it. */
async function files({ guestInfo = GUEST_INFO, guestAgent = GUEST_AGENT, agentYaml }: Files = {}) {
  const directory = await temporaryDirectory();
  const configDirectory = path.join(directory, 'conf.d');
  const configFile = path.join(directory, 'agent.yaml');
  await mkdir(configDirectory);
  await writeFile(path.join(configDirectory, 'guest_info.conf'), guestInfo);
  await writeFile(path.join(configDirectory, 'trove-guestagent.conf'), guestAgent);
  if (agentYaml !== undefined) await writeFile(configFile, agentYaml);
  const options: RunOptions = { configDirectory, configFile, configFileNamed: false };
  return { directory, options };
}

describe('readSettings', () => {
  it('reads the files of Trove and agent.yaml', async () => {
    const { options } = await files({ agentYaml: 'log:\n  level: warn\n' });
    const settings = await readSettings(options, {});
    expect(settings.guest.guestId).toBe('g-1');
    expect(settings.rabbit.heartbeatSeconds).toBe(60);
    expect(settings.agent.log).toEqual({ level: 'warn', format: 'journal' });
    expect(settings.k2hr3Ca).toBeUndefined();
  });

  it('lets the command line have the last word about the log', async () => {
    const { options } = await files({ agentYaml: 'log:\n  level: warn\n  format: text\n' });
    const { agent } = await readSettings({ ...options, logFormat: 'json', logLevel: 'debug' }, {});
    expect(agent.log).toEqual({ level: 'debug', format: 'json' });
  });

  it('does without agent.yaml unless somebody named it', async () => {
    const { options } = await files();
    await expect(readSettings(options, {})).resolves.toBeDefined();
    await expect(readSettings({ ...options, configFileNamed: true }, {})).rejects.toThrow(
      `cannot read ${options.configFile}: ENOENT`,
    );
  });

  it('reads the CAs of K2HR3 and of Swift, or says that it cannot', async () => {
    const { directory, options } = await files();
    const ca = path.join(directory, 'ca.pem');
    await writeFile(options.configFile, `k2hr3:\n  ca_file: ${ca}\n`);
    await expect(readSettings(options, {})).rejects.toThrow(
      `cannot read k2hr3.ca_file ${ca}: ENOENT`,
    );
    await writeFile(ca, 'PEM');
    expect((await readSettings(options, {})).k2hr3Ca).toBe('PEM');
    await writeFile(options.configFile, `backup:\n  ca_file: ${ca}\n`);
    expect((await readSettings(options, {})).storage.ca).toBe('PEM');
    await rm(ca);
    await expect(readSettings(options, {})).rejects.toThrow(`cannot read backup.ca_file ${ca}`);
  });

  it.each<[string, Files, string]>([
    [
      'no guest_id',
      { guestInfo: '[DEFAULT]\ndatastore_manager = k2hdkc\n' },
      'guest_id is not set',
    ],
    ['no transport_url', { guestAgent: '' }, 'transport_url is not set'],
    ['a broken line', { guestInfo: '[DEFAULT\n' }, 'guest_info.conf'],
    ['another datastore', { guestInfo: GUEST_INFO.replace('k2hdkc', 'mysql') }, 'mysql'],
    ['a bad transport_url', { guestAgent: '[DEFAULT]\ntransport_url = kafka://x\n' }, 'kafka'],
    ['an unknown key', { agentYaml: 'log:\n  lvel: info\n' }, 'unknown key log.lvel'],
    ['a port too high', { agentYaml: 'cluster:\n  server_port: 40020\n' }, '40020'],
  ])('refuses %s in one line', async (_, broken, text) => {
    const { options } = await files(broken);
    const error: unknown = await readSettings(options, {}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as Error).message).toContain(text);
    expect((error as Error).message).not.toMatch(/\n|password/);
  });

  it('says which directory is missing', async () => {
    const { options } = await files();
    const missing = { ...options, configDirectory: '/nonexistent/conf.d' };
    await expect(readSettings(missing, {})).rejects.toThrow('/nonexistent/conf.d: does not exist');
  });

  it('takes keys of the ini, whose files must be there', async () => {
    const { directory, options } = await files({
      agentYaml: 'ini:\n  global:\n    REPLICA: 2\n  k2hdkc:\n',
    });
    const { overrides } = await readSettings(options, {});
    expect([...overrides.global]).toEqual([['REPLICA', 2]]);
    const certificate = path.join(directory, 'cert.pem');
    await writeFile(options.configFile, `ini:\n  server:\n    SERVER_CERT: ${certificate}\n`);
    await expect(readSettings(options, {})).rejects.toThrow(
      `agent.yaml: ini.server.SERVER_CERT = ${certificate}: ENOENT`,
    );
  });

  it('takes the user’s port as Trove describes it, or as nobody does', async () => {
    const { directory, options } = await files({
      guestInfo: `${GUEST_INFO}network_isolation=True\n`,
    });
    const file = path.join(directory, 'eth1.json');
    await writeFile(options.configFile, `paths:\n  user_port_file: ${file}\n`);
    const without = await readSettings(options, {});
    expect(without.trove).toEqual({ userPort: null, isolation: true });
    const description = { mac_address: 'fa:16:3e:00:00:01', ipv4_address: '10.0.0.5' };
    await writeFile(file, JSON.stringify({ ...description, ipv4_cidr: '10.0.0.0/24' }));
    const { trove } = await readSettings(options, {});
    expect(trove.userPort).toMatchObject({ mac: 'fa:16:3e:00:00:01' });
    await writeFile(file, JSON.stringify(description));
    await expect(readSettings(options, {})).rejects.toThrow(`${file}: 10.0.0.5 has no network`);
  });

  it('wants nothing of Trove for a slave', async () => {
    const { options } = await files({ guestInfo: '', guestAgent: '', agentYaml: 'mode: slave\n' });
    const settings = await readNodeSettings(options);
    expect(settings.agent.mode).toBe('slave');
    await expect(readSettings(options, {}, settings)).rejects.toThrow(ConfigurationError);
  });
});
