import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import type { StatusDocument } from '../../src/node/status-document.ts';
import { until } from '../helpers/until.ts';
import type { Lab } from '../peers/vm/lab.ts';
import { namespacesPermitted } from '../peers/vm/permitted.ts';
import type { ClusterMember } from '../story/cluster-member.ts';
import { openTwoNetworks } from '../story/two-networks.ts';
import { usesKeys } from '../story/slave-keys.ts';

const reason = namespacesPermitted();
if (reason !== null) process.stderr.write(`simulated VMs are not permitted here: ${reason}\n`);

async function statusOf(node: ClusterMember): Promise<StatusDocument> {
  const { stdout } = await node.agentStatus('--json');
  return JSON.parse(stdout) as StatusDocument;
}

/** Waits for what `k2hdkc-agent status` prints. */
function says(node: ClusterMember, text: string | RegExp): Promise<string> {
  return until(`${node.name} says ${text}`, async () => {
    const { stdout } = await node.agentStatus();
    return stdout.search(text) >= 0 && stdout;
  });
}

/** The addresses at both ends of the connections of the ring, of this node's chmpx. */
async function connections({ machine }: ClusterMember): Promise<string[]> {
  const { stdout } = await machine.exec('ss', ['-tnH', 'state', 'established']);
  const ends = stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/).slice(2, 4))
    .filter((pair) => pair.some((end) => end.endsWith(':8020')))
    .flat()
    .map((end) => end.replace(/:\d+$/, '').replace(/^\[(?:::ffff:)?|\]$/g, ''));
  return [...new Set(ends)].sort();
}

/** Whether a connection to a control port stands, from an address of the hub; 1.5 s are waited for it. */
async function connects({ hub }: Lab, from: string, to: string): Promise<boolean> {
  const script = `const socket = require('net').connect({ host: '${to}', port: 8021, localAddress: '${from}' });
    const end = (code) => process.exit(code);
    socket.on('connect', () => end(0)).on('error', () => end(1)).setTimeout(1500, () => end(1));`;
  const words = [`--net=${hub.namespace}`, '--', process.execPath, '-e', script];
  return promisify(execFile)('nsenter', words).then(
    () => true,
    () => false,
  );
}

describe.runIf(reason === null)('a guest with two ports', () => {
  it('has its ring in the user’s network, answers by the port that was asked, and survives a reboot', async () => {
    const { lab, stage, slaveOfUser } = await openTwoNetworks(inject('broker'));
    const [first, second] = (await stage.createInstances(2)) as [ClusterMember, ClusterMember];
    await stage.settled();
    const slave = await slaveOfUser(2);
    expect(await usesKeys(slave, 'networks')).toContain('keys');
    const large = 'x'.repeat(20_000); // many packets at an MTU of 1450
    expect(await slave.keyTool([`set large ${large}`, 'print large'])).toContain(`"${large}"`);
    const { stdout: link } = await first.machine.exec('ip', ['link', 'show', 'eth1']);
    expect(link).toContain('mtu 1450');

    expect(await connections(first)).toEqual(['192.168.77.11', '192.168.77.12', '192.168.77.13']);
    expect((await statusOf(first)).network).toEqual({
      kind: 'user',
      addresses: [{ address: '192.168.77.11/24', port: 'eth1' }],
      why: 'Trove describes its port for this VM',
      registered: { name: 'node1.lab', from: '10.77.0.11' },
      problem: null,
    });
    expect(stage.k2hr3.hosts('labcluster')).toMatchObject([
      { ip: '10.77.0.11', tag: 'node1.lab' },
      { ip: '10.77.0.12', tag: 'node2.lab' },
    ]);
    expect(stage.k2hr3.hosts('labcluster', 'slave')).toMatchObject([{ ip: '192.168.77.13' }]);

    // Somebody behind the user's router asks: the cheaper default route leads elsewhere.
    await lab.hub.ip('address', 'add', '192.168.88.1/32', 'dev', 'lab1');
    await first.machine.exec('sysctl', ['-qw', 'net.ipv4.conf.eth1.rp_filter=1']);
    const answers = (at: string): Promise<boolean> => connects(lab, '192.168.88.1', at);
    await until('it answers', () => answers('192.168.77.11'));
    for (const priority of ['27442', '27443']) {
      await first.machine.exec('ip', ['rule', 'delete', 'priority', priority]);
    }
    expect(await answers('192.168.77.11'), 'without our rules').toBe(false);
    await until('it answers again', () => answers('192.168.77.11'));

    await second.reboot();
    await stage.settled();
    await until('after a reboot too', () => answers('192.168.77.12'));
    expect(await connections(second)).toContain('192.168.77.11');
  });

  it('whose name leads to the management network does not register, and says why', async () => {
    const { stage } = await openTwoNetworks(inject('broker'), { names: 'management' });
    const [node] = (await stage.createInstances(1)) as [ClusterMember];
    const text = await says(node, 'NO NETWORK');
    expect(text).toContain(
      'NO NETWORK for the ring: this VM would register as node1.lab, but node1.lab leads to 10.77.0.11 on eth0, and the ring is in 192.168.77.11/24 on eth1 (Trove describes its port for this VM)',
    );
    expect(stage.k2hr3.hosts('labcluster')).toEqual([]);
  });

  it('does not take a role in which another server is in the management network', async () => {
    const { stage } = await openTwoNetworks(inject('broker'));
    await stage.createInstances(1);
    await stage.settled();
    const startAgent = async (node: ClusterMember): Promise<void> => {
      const hosts = node.machine.path('/etc/hosts');
      const text = await readFile(hosts, 'utf8');
      await writeFile(hosts, text.replace('192.168.77.11 ', '10.77.0.11 '));
      await node.startAgent();
    };
    const [second] = (await stage.createInstances(1, { startAgent })) as [ClusterMember];
    const text = await says(second, /K2HR3: .*node1\.lab leads/);
    expect(text).toContain(
      'node1.lab leads to 10.77.0.11, which is in the network of eth0 (10.77.0.12/24), and the ring is in 192.168.77.12/24 on eth1',
    );
    expect(await second.program('chmpx')).toBeUndefined();
  });

  it('is in a ring of addresses where no name resolves, and K2HR3 is behind a NAT', async () => {
    const { stage, slaveOfUser } = await openTwoNetworks(inject('broker'), {
      ...{ names: 'none', nat: true },
      agentYaml: 'node: { name: address }\n',
    });
    const [first, second] = (await stage.createInstances(2)) as [ClusterMember, ClusterMember];
    await stage.settled();
    const slave = await slaveOfUser(2);
    expect(await usesKeys(slave, 'addresses')).toContain('keys');
    const seen = stage.k2hr3.hosts('labcluster').map(({ ip, tag }) => `${ip} ${tag}`);
    expect(seen.sort()).toEqual(['127.0.0.1 192.168.77.11', '127.0.0.1 192.168.77.12']);
    for (const node of stage.nodes) await stage.clusterComplete(node);
    await stage.detach(second);
    await until('it has left', () => stage.hosts() === 1, { seconds: 120 });
    await stage.settled([first]);
  });
});
