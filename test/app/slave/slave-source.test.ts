import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSlaveSource } from '../../../src/app/slave/slave-source.ts';
import { parseAgentConfig } from '../../../src/config/load.ts';
import type { AgentConfig } from '../../../src/config/schema.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { from } from '../../k2hr3/peers.ts';
import { startK2hr3, type K2hr3StandIn } from '../../simulators/k2hr3/stand-in.ts';

const http = from('127.0.0.31');
const CLUSTER = { serverPort: 8020, serverControlPort: 8021, slaveControlPort: 8031 };
let k2hr3: K2hr3StandIn;
let cluster: ReturnType<K2hr3StandIn['addCluster']>;

beforeEach(async () => {
  k2hr3 = await startK2hr3();
  cluster = k2hr3.addCluster({ cluster: 'MyCluster', ...CLUSTER });
});
afterEach(() => k2hr3.stop());

function slave(change: Partial<AgentConfig['slave']>): AgentConfig['slave'] {
  return { ...parseAgentConfig('', 'agent.yaml').slave, ...change };
}

function accessOfSlave() {
  const { roleToken, roleName } = cluster.slave;
  return { apiUri: k2hr3.url, roleName, tenant: 'yrn:yahoo:::tenant0', roleToken };
}

describe('readSlaveSource', () => {
  it.each(['extdataUrl', 'userdataUrl'] as const)('takes the role from its %s', async (kind) => {
    const url = cluster.slave[kind];
    const source = await readSlaveSource(slave({ registration_url: url }));
    expect(source.secret).toBe(url);
    expect(await source.access(http, url)).toEqual(accessOfSlave());
  });

  it('takes it from the user data that this VM was started with', async () => {
    const file = path.join(await temporaryDirectory(), 'user-data.txt');
    await writeFile(file, `#include\n${cluster.slave.userdataUrl}\n`);
    const source = await readSlaveSource(slave({ user_data_file: file }));
    expect(await source.access(http, '')).toEqual(accessOfSlave());
  });

  it('takes a role token without asking anybody', async () => {
    const { roleToken, roleName } = cluster.slave;
    const given = { role_token: roleToken, role_name: roleName, api_uri: `${k2hr3.url}/` };
    const source = await readSlaveSource(slave(given));
    expect(source.secret).toBe(roleToken);
    expect(await source.access(http, '')).toEqual(accessOfSlave());
    expect(k2hr3.requests).toEqual([]);
  });

  it('refuses the role of servers, whose ring it would damage', async () => {
    const source = await readSlaveSource(slave({ registration_url: cluster.extdataUrl }));
    await expect(source.access(http, '')).rejects.toThrow(
      'yrn:yahoo:::tenant0:role:mycluster/server is the role of servers: give this slave',
    );
  });

  it('says what K2HR3 says of a register path that is none', async () => {
    const url = `${k2hr3.url}/v1/userdata/nonsense`;
    const source = await readSlaveSource(slave({ registration_url: url }));
    await expect(source.access(http, url)).rejects.toMatchObject({
      message: `the extdata script of K2HR3 at ${k2hr3.url} reports an error: the register path is invalid`,
    });
  });

  it.each([
    [{ user_data_file: '/nonexistent/user-data.txt' }, 'mode: slave needs slave.registration_url'],
    [{ user_data_file: '/etc/hostname' }, '/etc/hostname includes no user data of K2HR3'],
    [{ role_token: 'a'.repeat(64) }, 'slave.role_token needs slave.api_uri, and slave.role_name'],
    [
      { role_token: 'short', api_uri: 'http://k', role_name: 'yrn:yahoo:::t:role:c/slave' },
      'slave.role_token must be 64 hex digits',
    ],
  ])('refuses %o in one line', async (change, message) => {
    await expect(readSlaveSource(slave(change))).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining(message) as string,
    });
  });
});
