import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchRoleAccess } from '../../src/k2hr3/extdata.ts';
import { startK2hr3 } from '../simulators/k2hr3/stand-in.ts';
import type { K2hr3StandIn } from '../simulators/k2hr3/stand-in.ts';
import { from, startBytes } from './peers.ts';

const http = from('127.0.0.11');
const CLUSTER = { serverPort: 8020, serverControlPort: 8021, slaveControlPort: 8031 };
let k2hr3: K2hr3StandIn;

beforeEach(async () => {
  k2hr3 = await startK2hr3();
});
afterEach(() => k2hr3.stop());

describe('fetchRoleAccess', () => {
  it('takes the access to the role out of the script', async () => {
    const cluster = k2hr3.addCluster({ cluster: 'mycluster', tenant: 'tenant7', ...CLUSTER });
    expect(await fetchRoleAccess(http, cluster.extdataUrl)).toEqual({
      apiUri: k2hr3.url,
      roleName: 'yrn:yahoo:::tenant7:role:mycluster/server',
      tenant: 'yrn:yahoo:::tenant7',
      roleToken: cluster.roleToken,
    });
  });

  it('never shows the path of the URL', async () => {
    const { extdataUrl } = k2hr3.addCluster({ cluster: 'mycluster', ...CLUSTER });
    const path = extdataUrl.slice(k2hr3.url.length + 10);
    const wrong = extdataUrl.replace('%2F', 'x');
    await expect(fetchRoleAccess(http, wrong)).rejects.toMatchObject({
      kind: 'rejected',
      retryable: false,
      message: `K2HR3 at ${k2hr3.url} does not give the role of the extdata URL: status 400, GET /extdata/trove/<path> is invalid`,
    });
    await k2hr3.goDown();
    await expect(fetchRoleAccess(http, extdataUrl)).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.not.stringContaining(path) as string,
    });
  });

  it('takes the page of a proxy and half a script for what they are', async () => {
    const { extdataUrl } = k2hr3.addCluster({ cluster: 'mycluster', ...CLUSTER });
    k2hr3.faults.htmlPage = true;
    await expect(fetchRoleAccess(http, extdataUrl)).rejects.toMatchObject({
      kind: 'invalid-answer',
      message: expect.stringContaining('is not a script') as string,
    });
    k2hr3.faults.htmlPage = false;
    k2hr3.faults.truncateBody = true;
    await expect(fetchRoleAccess(http, extdataUrl)).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('answers while the backend hangs', async () => {
    const { extdataUrl } = k2hr3.addCluster({ cluster: 'mycluster', ...CLUSTER });
    k2hr3.faults.slowUnauthorized = { delayMs: 60_000 };
    expect(await fetchRoleAccess(http, extdataUrl)).toMatchObject({ apiUri: k2hr3.url });
  });
});

describe('a script', () => {
  const good = {
    K2HR3_ROLE_TOKEN: 'ab'.repeat(32),
    K2HR3_ROLE_NAME: 'yrn:yahoo:::t:role:c/server',
    K2HR3_ROLE_TENANT: 'yrn:yahoo:::t',
    K2HR3_API_HOST_URI: 'http://10.0.0.5:18080/',
    K2HR3_ERROR_MSG: '',
  };

  async function fetchScript(
    values: Record<string, string>,
    first = '#!/bin/sh',
  ): Promise<unknown> {
    const lines = Object.entries(values).map(([name, value]) => `${name}="${value}"`);
    const body = [first, 'K2HR3_ROLE_TOKEN_FILE="/x"', ...lines, 'exit 0', ''].join('\n');
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
    const peer = await startBytes(head + body);
    try {
      return await fetchRoleAccess(http, `${peer.url}/v1/extdata/trove/x`);
    } finally {
      await peer.stop();
    }
  }

  it('is understood', async () => {
    expect(await fetchScript(good)).toMatchObject({ apiUri: 'http://10.0.0.5:18080' });
    expect(await fetchScript({ ...good, K2HR3_ERROR_MSG: 'null' })).toBeDefined();
  });

  it('that reports an error is refused, without its secrets', async () => {
    const K2HR3_ERROR_MSG = `token ${good.K2HR3_ROLE_TOKEN} is gone`;
    await expect(fetchScript({ ...good, K2HR3_ERROR_MSG })).rejects.toMatchObject({
      kind: 'rejected',
      message: expect.stringMatching(/reports an error: token \[secret\] is gone$/) as string,
    });
  });

  it.each(Object.keys(good))('without %s is refused', async (name) => {
    const values = Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
    await expect(fetchScript(values)).rejects.toMatchObject({
      kind: 'invalid-answer',
      message: expect.stringContaining(`has no ${name}`) as string,
    });
  });

  it.each([
    ['K2HR3_ROLE_TOKEN', ''],
    ['K2HR3_ROLE_TOKEN', 'abc\u00e9'],
    ['K2HR3_ROLE_NAME', 'c/server'],
    ['K2HR3_ROLE_NAME', 'yrn:yahoo:::other:role:c/server'],
    ['K2HR3_ROLE_NAME', 'yrn:yahoo:::t:role:c?x=/server'],
    ['K2HR3_ROLE_NAME', 'yrn:yahoo:::t:resource:c/server'],
    ['K2HR3_ROLE_TENANT', ''],
    ['K2HR3_API_HOST_URI', '10.0.0.5:18080'],
    ['K2HR3_API_HOST_URI', 'http://u:p@10.0.0.5'],
  ])('with %s=%j is refused', async (name, value) => {
    await expect(fetchScript({ ...good, [name]: value })).rejects.toMatchObject({
      kind: 'invalid-answer',
      message: expect.stringMatching(/has a K2HR3_\w+ that cannot be one$/) as string,
    });
  });

  it('that is none is refused', async () => {
    await expect(fetchScript(good, '# no interpreter')).rejects.toThrow(/is not a script/);
  });
});
