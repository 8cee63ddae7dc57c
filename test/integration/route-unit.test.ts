import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';
import { Container, containersPermitted } from '../peers/nspawn/container.ts';
import { guestInfoConf, troveGuestagentConf } from '../peers/trove/guest-files.ts';
import { Hub } from '../peers/vm/hub.ts';

const reason = containersPermitted();
if (reason !== null) {
  process.stderr.write(`NOT TESTED: source routes of our unit, no container: ${reason}\n`);
}

const AGENT = 'k2hdkc-guest-agent.service';
const MAC = 'fa:16:3e:77:01:0b';

/** A network with two ports for the container, and nobody on the other side. */
async function openNetwork(directory: string): Promise<Hub> {
  const hub = await Hub.open({ directory });
  onTestFinished(() => hub.close());
  for (const [port, mac, address, gateway, metric] of [
    ['ens3', MAC, '192.168.77.11/24', '192.168.77.1', '200'],
    ['ens4', 'fa:16:3e:00:00:0b', '10.88.0.11/24', '10.88.0.1', '100'],
  ] as const) {
    const peer = ['type', 'veth', 'peer', 'name', `${port}-far`];
    await hub.ip('link', 'add', port, 'address', mac, ...peer);
    await hub.ip('link', 'set', `${port}-far`, 'up');
    await hub.ip('link', 'set', port, 'up');
    await hub.ip('address', 'add', address, 'dev', port);
    await hub.ip('route', 'add', 'default', 'via', gateway, 'dev', port, 'metric', metric);
  }
  await hub.ip('link', 'delete', 'lab0');
  return hub;
}

/** The disk of a guest with our unit, whose broker is nowhere. */
async function install(root: string): Promise<void> {
  Container.makeRoot(root);
  const put = async (name: string, text: string): Promise<void> => {
    const file = path.join(root, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  };
  const transportUrl = 'rabbit://u:p@10.88.0.1:5672/';
  await put('etc/trove/conf.d/guest_info.conf', guestInfoConf({ id: 'g-1', key: null }));
  await put(
    'etc/trove/conf.d/trove-guestagent.conf',
    troveGuestagentConf({ transportUrl, controlExchange: 'trove' }),
  );
  const port = { mac_address: MAC, ipv4_address: '192.168.77.11', ipv4_cidr: '192.168.77.0/24' };
  await put('etc/trove/eth1.json', JSON.stringify({ ...port, ipv4_gateway: '192.168.77.1' }));
  const unit = await readFile(path.join(projectRoot, 'systemd', AGENT), 'utf8');
  const agent = path.join(projectRoot, 'bin/k2hdkc-agent');
  await put(`etc/systemd/system/${AGENT}`, unit.replace('/usr/bin/k2hdkc-agent', agent));
  // Nobody configures these ports, so nobody says that they are.
  const waits = 'etc/systemd/system/systemd-networkd-wait-online.service';
  await symlink('/dev/null', path.join(root, waits));
  const paths = `${path.dirname(process.execPath)}:/usr/sbin:/usr/bin`;
  await put(
    'etc/systemd/system.conf.d/paths.conf',
    `[Manager]\nDefaultEnvironment=PATH=${paths}\n`,
  );
}

describe.runIf(reason === null)('the agent as a unit of systemd', () => {
  it('has source routes made outside of its sandbox, again when they are gone, and without its end ending them', async () => {
    const directory = await temporaryDirectory();
    await install(path.join(directory, 'root'));
    const hub = await openNetwork(directory);
    const folders = [projectRoot, path.dirname(process.execPath)];
    const container = await Container.boot({ directory, folders, network: hub.namespace });
    onTestFinished(() => container.close());
    const rules = (): Promise<string> => container.run('ip', 'rule', 'show');
    const areThere = async (): Promise<boolean> =>
      /^27442:\tfrom 192\.168\.77\.11 lookup 27442\n27443:\tfrom 10\.88\.0\.11 lookup 27443$/m.test(
        await rules(),
      );
    await container.run('systemctl', 'start', '--no-block', AGENT);
    await until('the rules are there', areThere);
    expect(await container.run('ip', 'route', 'show', 'table', '27442')).toContain(
      'default via 192.168.77.1 dev ens3 src 192.168.77.11',
    );
    await container.run('ip', 'rule', 'delete', 'priority', '27442');
    await until('they are there again', areThere);
    const show = ['show', '--value', '--property=CapabilityBoundingSet', AGENT];
    expect(await container.run('systemctl', ...show)).not.toContain('cap_net_admin');
    await container.run('systemctl', 'stop', AGENT);
    expect(await areThere()).toBe(true);
  });
});
