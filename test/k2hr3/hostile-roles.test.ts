import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../helpers/until.ts';
import { startK2hr3, type K2hr3StandIn } from '../simulators/k2hr3/stand-in.ts';
import { RoleNode } from './role-node.ts';

const PORTS = { serverPort: 8020, serverControlPort: 8021, slaveControlPort: 8031 };
const CUK = '00000001-aaaa-4bbb-8ccc-000000000001';
let k2hr3: K2hr3StandIn;
let extdataUrl: string;

beforeEach(async () => {
  k2hr3 = await startK2hr3();
  ({ extdataUrl } = k2hr3.addCluster({ cluster: 'mycluster', ...PORTS }));
});
afterEach(() => k2hr3.stop());

function start(n = 1): Promise<RoleNode> {
  return RoleNode.start({
    extdataUrl,
    cluster: 'mycluster',
    address: `127.0.0.${10 + n}`,
    cuk: CUK.replace(/1$/, String(n)),
    tag: `node${n}.novalocal`,
  });
}

const refusals = (node: RoleNode): Record<string, unknown>[] =>
  node.log.filter(({ msg }) => msg === 'a role document changes nothing');

describe('a host whose tag is', () => {
  const other = { ip: '127.0.0.66', cuk: 'cuk-66', tag: 'node66.novalocal' };

  it.each([
    ['two lines', { tag: 'a\nb' }, /has no key|not known/],
    ['a section', { tag: 'a\n[EVIL]\nX = 1' }, /section "EVIL" is not known/],
    ['a server of its own', { tag: 'a\nCUK = x\n[SVRNODE]\nNAME = evil' }, /given twice/],
    ['another database', { tag: 'a\n[K2HDKC]\nATTRPLUGIN = /x.so' }, /second \[K2HDKC\]/],
    ['a template', { tag: '{{= %cluster-name% }}' }, /template was not expanded/],
    ['a placeholder', { tag: '__SELF_INSTANCE_ID__' }, /placeholder/],
    ['of no letters', { tag: 'ノード' }, /NAME = .* may only hold/],
    ['the name of this node', { tag: 'node1.novalocal' }, /NAME:CTLPORT = .* is given to two/],
    ['good, but its CUK is that of this node', { cuk: CUK }, /CUK = .* is given to two nodes/],
    ['nobody’s name', { tag: 'unknown.novalocal' }, /unknown.novalocal cannot be resolved/],
  ])('%s changes nothing at a node that serves', async (_, change, reason) => {
    const node = await start();
    const ini = await node.untilServing();
    const acts = node.acts.length;
    k2hr3.addHost('mycluster', { ...other, ...change });
    await node.untilProblem(reason);
    const reads = k2hr3.requests.length;
    await until('it is read again', () => k2hr3.requests.length > reads + 3);
    expect(await node.ini()).toBe(ini);
    expect(node.acts.slice(acts)).toEqual([]);
    expect(node.runs).toBe(true);
    expect(refusals(node)).toEqual([
      expect.objectContaining({
        reason: expect.stringMatching(reason) as string,
        diff: expect.stringMatching(/^[^\n]{10,900}$/) as string,
      }),
    ]);
  });
});

describe('a role', () => {
  it('whose ports turn negative in chmpx changes nothing at a node that serves', async () => {
    const node = await start();
    const ini = await node.untilServing();
    k2hr3.addCluster({ cluster: 'mycluster', ...PORTS, serverPort: 40020 });
    await node.untilProblem(/PORT = "40020" is not a port from 1 to 32767/);
    expect(await node.ini()).toBe(ini);
    expect(refusals(node)[0]?.['diff']).toBe(
      '-"PORT=8020" -"PORT=8020" +"PORT=40020" +"PORT=40020"',
    );
  });

  it('that loses all its servers for a moment changes nothing, and nobody registers', async () => {
    const [one, two, three] = [await start(1), await start(2), await start(3)];
    const nodes = [one, two, three];
    await until('all know all', async () => {
      const inis = await Promise.all(nodes.map((node) => node.ini()));
      return inis.every((ini) => ini?.split('[SVRNODE]').length === 4);
    });
    const hosts = k2hr3.hosts('mycluster');
    for (const { cuk } of hosts) k2hr3.removeHost('mycluster', cuk);
    await until('it is doubted', () =>
      nodes.some((node) => node.log.some(({ msg }) => String(msg).includes('is doubtful'))),
    );
    for (const host of hosts) k2hr3.addHost('mycluster', host);
    const calls = k2hr3.requests.length;
    await until('it is read again', () => k2hr3.requests.length > calls + 12);
    expect(k2hr3.requests.filter(({ method }) => method === 'PUT')).toHaveLength(3);
    for (const node of nodes) {
      expect((await node.ini())?.split('[SVRNODE]')).toHaveLength(4);
      expect(node.runs).toBe(true);
    }
  });

  it('whose workers undo each other’s registrations holds all nodes in the end', async () => {
    k2hr3.faults.raceMs = 1_000; // long enough for all to meet on a busy machine
    const nodes = await Promise.all([1, 2, 3, 4].map((n) => start(n)));
    await until('all know all', async () => {
      const inis = await Promise.all(nodes.map((node) => node.ini()));
      return inis.every((ini) => ini?.split('[SVRNODE]').length === 5);
    });
    const puts = k2hr3.requests.filter(({ method }) => method === 'PUT');
    expect(puts.length).toBeGreaterThan(4);
    expect(puts.every(({ status }) => status === 201)).toBe(true);
  });
});
