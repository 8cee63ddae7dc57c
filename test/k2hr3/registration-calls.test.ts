import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchRoleAccess } from '../../src/k2hr3/extdata.ts';
import type { RoleAccess } from '../../src/k2hr3/extdata.ts';
import { isMember, register, unregister } from '../../src/k2hr3/registration-calls.ts';
import { readResourceKey } from '../../src/k2hr3/resource.ts';
import { startK2hr3 } from '../simulators/k2hr3/stand-in.ts';
import type { K2hr3StandIn } from '../simulators/k2hr3/stand-in.ts';
import { from } from './peers.ts';

const host1 = from('127.0.0.11');
const host2 = from('127.0.0.12');
const node1 = { cuk: '00000001-aaaa-4bbb-8ccc-000000000001', tag: 'node1.novalocal' };
let k2hr3: K2hr3StandIn;
let access: RoleAccess;

beforeEach(async () => {
  k2hr3 = await startK2hr3();
  const { extdataUrl } = k2hr3.addCluster({
    cluster: 'mycluster',
    serverPort: 8020,
    serverControlPort: 8021,
    slaveControlPort: 8031,
  });
  access = await fetchRoleAccess(host1, extdataUrl);
});
afterEach(() => k2hr3.stop());

describe('register', () => {
  it('registers the address it calls from', async () => {
    await register(host1, access, node1);
    expect(k2hr3.hosts('mycluster')).toMatchObject([
      { ip: '127.0.0.11', port: 0, extra: 'openstack-auto-v1', ...node1 },
    ]);
    expect(k2hr3.roles()).toEqual([access.roleName]);
    expect(await isMember(host1, access, node1.cuk)).toBe(true);
    expect(await isMember(host2, access, node1.cuk)).toBe(false);
    expect(await isMember(host1, access, 'other')).toBe(false);
  });

  it('can be lost although K2HR3 says 201, and done again', async () => {
    k2hr3.faults.loseRegistrations = 1;
    await register(host1, access, node1);
    expect(await isMember(host1, access, node1.cuk)).toBe(false);
    await register(host1, access, node1);
    expect(await isMember(host1, access, node1.cuk)).toBe(true);
  });

  it.each([
    { cuk: node1.cuk, tag: 'x\n[EVIL]' },
    { cuk: node1.cuk, tag: '' },
    { cuk: node1.cuk, tag: '123' },
    { cuk: node1.cuk, tag: 'null' },
    { cuk: 'a b', tag: 'node1' },
    { cuk: '', tag: 'node1' },
    { cuk: '77', tag: 'node1' },
  ])('refuses %j before it is sent', async (identity) => {
    const calls = k2hr3.requests.length;
    await expect(register(host1, access, identity)).rejects.toMatchObject({ kind: 'rejected' });
    expect(k2hr3.requests).toHaveLength(calls);
  });

  it('fails on a dead token without showing it', async () => {
    const roleToken = 'ab'.repeat(32);
    await expect(register(host1, { ...access, roleToken }, node1)).rejects.toMatchObject({
      kind: 'unauthorized',
      message: expect.stringMatching(
        /did not register node1.novalocal: status 401, token\(\[secret\]\) is not existed/,
      ) as string,
    });
  });

  it('fails on another tenant, a proxy page and half an answer', async () => {
    const roleName = access.roleName.replace('tenant0', 'tenant1');
    await expect(register(host1, { ...access, roleName }, node1)).rejects.toMatchObject({
      kind: 'rejected',
    });
    k2hr3.faults.htmlPage = true;
    await expect(register(host1, access, node1)).rejects.toMatchObject({ kind: 'invalid-answer' });
    k2hr3.faults.htmlPage = false;
    k2hr3.faults.truncateBody = true;
    await expect(register(host1, access, node1)).rejects.toMatchObject({ kind: 'unreachable' });
  });
});

describe('isMember', () => {
  it('throws for anything that is neither yes nor no', async () => {
    k2hr3.faults.htmlPage = true;
    await expect(isMember(host1, access, node1.cuk)).rejects.toMatchObject({
      kind: 'invalid-answer',
    });
    const lost = { ...access, apiUri: `${k2hr3.url}/elsewhere` };
    await expect(isMember(host1, lost, node1.cuk)).rejects.toMatchObject({
      kind: 'invalid-answer',
    });
  });
});

describe('unregister', () => {
  it('takes out this host only, without a token', async () => {
    k2hr3.addHost('mycluster', { ip: '127.0.0.11', cuk: 'older', tag: 'older' });
    await register(host1, access, node1);
    await register(host2, access, { cuk: 'two', tag: 'node2' });
    expect(await unregister(host1, access, node1.cuk)).toBe('unregistered');
    expect(k2hr3.hosts('mycluster').map(({ cuk }) => cuk)).toEqual(['older', 'two']);
    expect(k2hr3.requests.at(-1)).toMatchObject({
      method: 'DELETE',
      sourceAddress: '127.0.0.11',
      token: 'none',
    });
    expect(await readResourceKey(host2, access, 'chmpx-mode')).toBe('SERVER');
  });

  it('says so when the host is not there', async () => {
    expect(await unregister(host1, access, node1.cuk)).toBe('not-a-member');
    await register(host1, access, node1);
    expect(await unregister(host2, access, node1.cuk)).toBe('not-a-member');
    expect(k2hr3.hosts('mycluster')).toHaveLength(1);
  });

  it('never goes out without a cuk, which would mean every host at this address', async () => {
    await register(host1, access, node1);
    await expect(unregister(host1, access, '')).rejects.toMatchObject({ kind: 'rejected' });
    expect(k2hr3.hosts('mycluster')).toHaveLength(1);
  });
});

describe('while the backend hangs', () => {
  it('a member looks like none, late, and is one again afterwards', async () => {
    await register(host1, access, node1);
    k2hr3.faults.slowUnauthorized = { delayMs: 30 };
    expect(await isMember(host1, access, node1.cuk)).toBe(false);
    expect(await unregister(host1, access, node1.cuk)).toBe('not-a-member');
    await expect(register(host1, access, node1)).rejects.toMatchObject({ kind: 'unauthorized' });
    await expect(readResourceKey(host1, access, 'chmpx-mode')).rejects.toMatchObject({
      kind: 'unauthorized',
    });
    k2hr3.faults.slowUnauthorized = undefined;
    expect(await isMember(host1, access, node1.cuk)).toBe(true);
  });
});
