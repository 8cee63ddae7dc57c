import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { NetworkInterfaceInfo } from 'node:os';
import { readPorts } from '../../src/network/ports.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const v4 = (address: string, length: number, internal = false): NetworkInterfaceInfo => ({
  ...{ address, family: 'IPv4', cidr: `${address}/${length}`, internal },
  ...{ mac: 'FA:16:3E:00:00:01', netmask: '' },
});
const v6 = (address: string): NetworkInterfaceInfo => ({
  ...v4(address, 64),
  ...{ family: 'IPv6', scopeid: 0 },
});

/** A /sys/class/net with these ports, and a /proc/net/dev. */
async function system(ports: Record<string, { flags: string; has?: string[] }>): Promise<string> {
  const directory = await temporaryDirectory();
  for (const [name, { flags, has = [] }] of Object.entries(ports)) {
    for (const folder of ['.', ...has]) {
      await mkdir(path.join(directory, name, folder), { recursive: true });
    }
    await writeFile(path.join(directory, name, 'flags'), `${flags}\n`);
    await writeFile(path.join(directory, name, 'address'), 'fa:16:3e:00:00:01\n');
  }
  const header = 'Inter-|   Receive\n face |bytes    packets\n';
  const lines = Object.keys(ports).map((name) => `${name.padStart(6)}:     0       0\n`);
  await writeFile(path.join(directory, 'dev'), header + lines.join(''));
  return directory;
}

it('are those that another machine can be behind, also when they are down', async () => {
  const directory = await system({
    lo: { flags: '0x9' },
    ens3: { flags: '0x1003' },
    ens4: { flags: '0x1002' },
    docker0: { flags: '0x1003', has: ['bridge', 'lower_veth0'] },
  });
  const interfaces = {
    lo: [v4('127.0.0.1', 8, true)],
    ens3: [v6('fd77::5'), v6('fe80::1'), v4('169.254.3.4', 16), v4('10.0.0.5', 24)],
    docker0: [v4('172.17.0.1', 16)],
  };
  const mac = 'fa:16:3e:00:00:01';
  expect(await readPorts(directory, interfaces, path.join(directory, 'dev'))).toEqual([
    {
      ...{ name: 'ens3', mac, isUp: true },
      addresses: [
        { address: '10.0.0.5', cidr: '10.0.0.5/24', family: 4, port: 'ens3' },
        { address: 'fd77::5', cidr: 'fd77::5/64', family: 6, port: 'ens3' },
      ],
    },
    { name: 'ens4', mac, isUp: false, addresses: [] },
  ]);
});

it('are a bridge, too, when a card is below it, however far', async () => {
  const directory = await system({
    br0: { flags: '0x1003', has: ['bridge', 'lower_bond0.5', 'lower_veth0'] },
    'bond0.5': { flags: '0x1003', has: ['lower_bond0'] },
    bond0: { flags: '0x1003', has: ['lower_ens3'] },
    ens3: { flags: '0x1003', has: ['device'] },
    veth0: { flags: '0x1003' },
    loop0: { flags: '0x1003', has: ['bridge', 'lower_loop0'] },
  });
  const interfaces = { br0: [v4('10.0.0.5', 24)], loop0: [v4('10.9.0.1', 24)] };
  const ports = await readPorts(directory, interfaces, path.join(directory, 'dev'));
  expect(ports.filter(({ addresses }) => addresses.length > 0)).toMatchObject([{ name: 'br0' }]);
});

it('are known without /sys too, or with that of another network, as in containers', async () => {
  const directory = await system({ e0: { flags: '0x1002' } });
  await writeFile(path.join(directory, 'e0/address'), 'aa:aa:aa:aa:aa:aa\n');
  for (const folder of ['/nowhere', directory]) {
    const list = path.join(directory, 'dev');
    expect(await readPorts(folder, { e0: [v4('10.0.0.5', 24)] }, list)).toMatchObject([
      { name: 'e0', mac: 'fa:16:3e:00:00:01', isUp: true },
    ]);
  }
});

it('are those with addresses where not even /proc is there', async () => {
  expect(await readPorts('/nowhere', { e0: [v4('10.0.0.5', 24)] }, '/nowhere')).toMatchObject([
    { name: 'e0', mac: 'fa:16:3e:00:00:01', isUp: true },
  ]);
});
