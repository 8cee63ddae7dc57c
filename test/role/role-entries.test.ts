import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ResolveName } from '../../src/host/resolve-name.ts';
import { readEntries, removeOlderEntries } from '../../src/role/role-entries.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { from } from '../k2hr3/peers.ts';
import { startK2hr3, type K2hr3StandIn, type RoleHandout } from '../simulators/k2hr3/stand-in.ts';

const ADDRESS = '127.0.0.11';
const identity = { cuk: 'cuk-now', tag: 'node1.novalocal' };
const http = from(ADDRESS);
/** Names that lead to other machines, all of them. */
const elsewhere: ResolveName = () => Promise.resolve(['192.0.2.9']);
let k2hr3: K2hr3StandIn;
let role: RoleHandout;
let slaveRole: RoleHandout;
let recorded: ReturnType<typeof recordingLog>;

beforeEach(async () => {
  k2hr3 = await startK2hr3();
  const ports = { serverPort: 8020, serverControlPort: 8021, slaveControlPort: 8031 };
  const cluster = k2hr3.addCluster({ cluster: 'mycluster', ...ports });
  role = cluster;
  slaveRole = cluster.slave;
  recorded = recordingLog();
});
afterEach(() => k2hr3.stop());

const access = () => ({ apiUri: k2hr3.url, tenant: 'yrn:yahoo:::tenant0', ...role });
const add = (cuk: string, tag: string, ip = ADDRESS): void =>
  k2hr3.addHost('mycluster', { ip, cuk, tag });
const cuks = (): string[] => k2hr3.hosts('mycluster').map(({ cuk }) => cuk);
const count = (method: string): number =>
  k2hr3.requests.filter((call) => call.method === method).length;

/** Reads the role and removes what is older, as a registration does. */
async function remove(resolve = elsewhere): Promise<void> {
  const entries = await readEntries(http, access());
  const { log } = recorded;
  await removeOlderEntries({ http, access: access(), identity, entries, resolve, log });
}

describe('the entries of a role', () => {
  it('are its servers, by name and CUK', async () => {
    add('a', 'node1.novalocal');
    add('b', 'node2.novalocal', '127.0.0.12');
    expect(await readEntries(http, access())).toEqual([
      { name: 'node1.novalocal', cuk: 'a' },
      { name: 'node2.novalocal', cuk: 'b' },
    ]);
  });

  it('are none when its resource cannot be understood', async () => {
    add('a', 'x\n[EVIL]');
    expect(await readEntries(http, access())).toEqual([]);
  });
});

describe('entries that earlier servers left at this address', () => {
  it.each([1, 2, 3, 4])('all go, of %i', async (many) => {
    for (let n = 0; n < many; n++) add(`older${n}`, `alias${n}.novalocal`);
    add('other', 'node2.novalocal', '127.0.0.12');
    await remove(() => Promise.resolve(['127.0.0.1']));
    expect(cuks()).toEqual(['other']);
    expect(recorded.lines).toHaveLength(many);
    expect(recorded.lines[0]).toMatchObject({
      cuk: 'older0',
      name: 'alias0.novalocal',
      outcome: 'unregistered',
      msg: 'an older entry of this address was in the role',
    });
    const deletes = k2hr3.requests.filter(({ method }) => method === 'DELETE');
    const asExpected = { token: 'none', status: 204, sourceAddress: ADDRESS };
    expect(deletes).toMatchObject(Array<object>(many).fill(asExpected));
  });

  it('go although the one of this name comes right after another', async () => {
    add('older', 'alias.novalocal');
    add('namesake', 'node1.novalocal');
    await remove(() => Promise.resolve([]));
    expect(cuks()).toEqual([]);
  });

  it('go when their name leads to an address that this machine has', async () => {
    add('older', 'alias.novalocal');
    const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    await remove(() => Promise.resolve(own.map(({ address }) => address)));
    expect(cuks()).toEqual([]);
  });

  it('go between those of neighbours, which stay', async () => {
    add('older1', 'alias.novalocal');
    add('neighbour', 'node2.novalocal');
    add('older2', 'alias.novalocal');
    await remove((name) => Promise.resolve(name.startsWith('alias') ? [] : ['192.0.2.9']));
    expect(cuks()).toEqual(['neighbour']);
  });
});

describe('entries that stay', () => {
  it('are those of another machine, by one address of its name', async () => {
    add('neighbour', 'node2.novalocal');
    await remove(() => Promise.resolve(['127.0.0.1', '192.0.2.9']));
    expect(cuks()).toEqual(['neighbour']);
    expect(count('DELETE')).toBe(0);
  });

  it('are those of a name that nobody could be asked about', async () => {
    add('neighbour', 'node2.novalocal');
    await remove(() => Promise.reject(new Error('EAI_AGAIN')));
    expect(cuks()).toEqual(['neighbour']);
  });

  it('are those of this VM itself, for which nothing is asked', async () => {
    add(identity.cuk, 'node1.novalocal');
    await remove();
    expect(cuks()).toEqual([identity.cuk]);
    expect(count('HEAD')).toBe(0);
  });

  it('are not asked about one by one when K2HR3 knows nobody at this address', async () => {
    for (let n = 0; n < 3; n++) add(`other${n}`, `node${n + 2}.novalocal`, `127.0.0.${n + 12}`);
    await remove();
    expect(count('HEAD')).toBe(1);
    expect(cuks()).toHaveLength(3);
  });

  it('keep this VM out when one has its name, also after others have gone', async () => {
    add('older', 'alias.novalocal');
    add('other', 'node1.novalocal', '127.0.0.12');
    await expect(remove(() => Promise.resolve([]))).rejects.toMatchObject({
      retryable: true,
      message:
        'the role has another host of the name node1.novalocal, with CUK other: take it out of the role, or give this VM another node.name',
    });
    expect(cuks()).toEqual(['other']);
  });
});

describe('in the role of slaves', () => {
  const own = { cuk: 'cuk-now', tag: 'client.novalocal' };
  const slaves = () => ({ apiUri: k2hr3.url, tenant: 'yrn:yahoo:::tenant0', ...slaveRole });
  const addSlave = (cuk: string, tag: string, ip = ADDRESS): void =>
    k2hr3.addHost('mycluster', { ip, cuk, tag }, 'slave');
  const left = (): string[] => k2hr3.hosts('mycluster', 'slave').map(({ cuk }) => cuk);

  async function removeSlaves(): Promise<void> {
    const entries = await readEntries(http, slaves());
    const { log } = recorded;
    const of = { http, access: slaves(), identity: own, entries, log };
    await removeOlderEntries({ ...of, resolve: elsewhere });
  }

  it('the entry that an earlier VM of this name left at this address goes', async () => {
    add('server', 'client.novalocal');
    addSlave('older', 'client.novalocal');
    addSlave('other', 'other.novalocal', '127.0.0.12');
    await removeSlaves();
    expect([left(), cuks()]).toEqual([['other'], ['server']]);
    expect(recorded.lines).toMatchObject([{ cuk: 'older', outcome: 'unregistered' }]);
  });

  it('one of this name at another address stays, and does not keep this VM out', async () => {
    addSlave('older', 'client.novalocal', '127.0.0.12');
    await removeSlaves();
    expect(left()).toEqual(['older']);
    expect(recorded.texts).toEqual([
      'the role has another slave of this name: take it out if it is gone',
    ]);
  });
});
