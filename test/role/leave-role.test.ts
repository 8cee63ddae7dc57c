import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GetAccess, RoleAccess } from '../../src/k2hr3/extdata.ts';
import { fetchRoleAccess } from '../../src/k2hr3/extdata.ts';
import { register } from '../../src/k2hr3/registration-calls.ts';
import { leaveRole } from '../../src/role/leave-role.ts';
import type { Registration } from '../../src/role/registration.ts';
import { from } from '../k2hr3/peers.ts';
import { PARAMETERS, registrationFor } from '../node/builders.ts';
import { startK2hr3, type K2hr3StandIn } from '../simulators/k2hr3/stand-in.ts';

const PORTS = { serverPort: 8020, serverControlPort: 8021, slaveControlPort: 8031 };
const CUK = '00000001-aaaa-4bbb-8ccc-000000000001';
const http = from('127.0.0.11');
let k2hr3: K2hr3StandIn;
let registration: Registration;

beforeEach(async () => {
  k2hr3 = await startK2hr3();
  const access = await accessTo('mycluster')(http, '');
  registration = { ...registrationFor(PARAMETERS), ...access, cuk: CUK };
  await register(http, access, registration);
  k2hr3.requests.length = 0;
});
afterEach(() => k2hr3.stop());

/** The access that a new extdata URL of this cluster leads to. */
function accessTo(cluster: string): GetAccess {
  const { extdataUrl } = k2hr3.addCluster({ cluster, ...PORTS });
  return (options) => fetchRoleAccess(options, extdataUrl);
}

const leave = (getAccess?: () => Promise<RoleAccess>) => leaveRole(http, registration, getAccess);
const cuks = (): string[] => k2hr3.hosts('mycluster').map(({ cuk }) => cuk);
const calls = () => k2hr3.requests.map(({ method, status }) => [method, status]);

describe('leaving a role', () => {
  it('takes this host out, without the token: with it K2HR3 would delete that', async () => {
    expect(await leave()).toBe('unregistered');
    expect(cuks()).toEqual([]);
    const deletes = k2hr3.requests.filter(({ method }) => method === 'DELETE');
    expect(deletes).toMatchObject([{ token: 'none', status: 204, sourceAddress: '127.0.0.11' }]);
  });

  it('needs no proof for a 204', async () => {
    k2hr3.revokeToken(registration.roleToken);
    expect(await leave()).toBe('unregistered');
    expect(cuks()).toEqual([]);
  });

  it('leaves the other hosts of this address alone', async () => {
    k2hr3.addHost('mycluster', { ip: '127.0.0.11', cuk: 'neighbour', tag: 'node2.novalocal' });
    await leave();
    expect(cuks()).toEqual(['neighbour']);
  });
});

describe('that K2HR3 does not know this host', () => {
  it('is believed between two reads that succeed', async () => {
    k2hr3.removeHost('mycluster', CUK);
    expect(await leave()).toBe('not-a-member');
    expect(calls()).toEqual([
      ['GET', 200],
      ['DELETE', 403],
      ['GET', 200],
    ]);
  });

  it('is not believed from a backend that hangs', async () => {
    k2hr3.faults.slowUnauthorized = { delayMs: 1 };
    await expect(leave()).rejects.toMatchObject({
      retryable: true,
      message: expect.stringMatching(/not in yrn:.*but it does not read the role either/) as string,
    });
    expect(cuks()).toEqual([CUK]);
  });

  it('is not believed from a backend that hangs from the second call on', async () => {
    k2hr3.removeHost('mycluster', CUK);
    Object.defineProperty(k2hr3.faults, 'slowUnauthorized', {
      get: () => (k2hr3.requests.length > 1 ? { delayMs: 1 } : undefined),
    });
    await expect(leave()).rejects.toMatchObject({ kind: 'unauthorized' });
    expect(calls()).toEqual([
      ['GET', 200],
      ['DELETE', 403],
      ['GET', 401],
    ]);
  });

  it('is proven with the token of another cluster of this K2HR3 when its own is dead', async () => {
    k2hr3.removeHost('mycluster', CUK);
    k2hr3.revokeToken(registration.roleToken);
    await expect(leave(), 'there is no other').rejects.toThrow('it may only be slow');
    const another = accessTo('another');
    expect(await leave(() => another(http, ''))).toBe('not-a-member');
  });

  it('is not proven by another K2HR3', async () => {
    k2hr3.removeHost('mycluster', CUK);
    k2hr3.revokeToken(registration.roleToken);
    const elsewhere = { ...registration, apiUri: 'http://192.0.2.1' };
    await expect(leave(() => Promise.resolve(elsewhere))).rejects.toMatchObject({
      message: expect.stringMatching(/it may only be slow: .*status 401/) as string,
    });
  });
});
