import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { fingerprintOf, registrationRecordSchema } from '../../src/k2hr3/registration-record.ts';
import type { RegistrationRecord } from '../../src/k2hr3/registration-record.ts';
import { register, unregister } from '../../src/k2hr3/registration-calls.ts';
import { startK2hr3 } from '../simulators/k2hr3/stand-in.ts';
import { from } from './peers.ts';

describe('RegistrationRecord', () => {
  it('is enough to unregister later, after it was on disk', async () => {
    const k2hr3 = await startK2hr3();
    const ports = { serverPort: 8020, serverControlPort: 8021, slaveControlPort: 8031 };
    const { extdataUrl, roleName, roleToken } = k2hr3.addCluster({ cluster: 'c', ...ports });
    const identity = { cuk: 'one', tag: 'node1' };
    const role = { apiUri: k2hr3.url, roleName };
    await register(from('127.0.0.13'), { ...role, tenant: '', roleToken }, identity);

    const record: RegistrationRecord = {
      ...role,
      ...identity,
      localAddress: '127.0.0.13',
      extdataFingerprint: fingerprintOf(extdataUrl),
    };
    const read = v.parse(registrationRecordSchema, JSON.parse(JSON.stringify(record)));
    expect(read).toEqual(record);
    expect(await unregister(from(read.localAddress ?? ''), read, read.cuk)).toBe('unregistered');
    expect(k2hr3.hosts('c')).toEqual([]);
    await k2hr3.stop();
  });

  it('refuses what is not one', () => {
    expect(v.safeParse(registrationRecordSchema, { apiUri: 'http://x' }).success).toBe(false);
  });

  it('tells URLs apart without holding them', () => {
    const url = 'http://10.0.0.5:18080/v1/extdata/trove/abc%2F';
    expect(fingerprintOf(url)).toMatch(/^[0-9a-f]{64}$/);
    expect(fingerprintOf(url)).not.toBe(fingerprintOf(`${url}x`));
  });
});
