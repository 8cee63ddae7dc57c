import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchRoleAccess } from '../../src/k2hr3/extdata.ts';
import type { RoleAccess } from '../../src/k2hr3/extdata.ts';
import { readResource, readResourceKey } from '../../src/k2hr3/resource.ts';
import { startK2hr3 } from '../simulators/k2hr3/stand-in.ts';
import type { K2hr3StandIn } from '../simulators/k2hr3/stand-in.ts';
import { from, startBytes } from './peers.ts';

const http = from('127.0.0.11');
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
  access = await fetchRoleAccess(http, extdataUrl);
});
afterEach(() => k2hr3.stop());

describe('readResource', () => {
  it('reads the text once and then only when it has changed', async () => {
    k2hr3.addHost('mycluster', { ip: '127.0.0.11', cuk: 'one', tag: 'node1' });
    const first = await readResource(http, access);
    if (!first.changed) throw new Error('there was nothing to compare with');
    expect(first.text).toContain('\n[SVRNODE]\nNAME                = node1\n');
    expect(await readResource(http, access, first.etag)).toEqual({ changed: false });
    expect(k2hr3.requests.at(-1)).toMatchObject({ status: 304, token: 'role' });

    k2hr3.addHost('mycluster', { ip: '127.0.0.12', cuk: 'two', tag: 'node2' });
    const second = await readResource(http, access, first.etag);
    if (!second.changed) throw new Error('a host has joined');
    expect(second.text).toContain('NAME                = node2\n');
    expect(second.etag).not.toBe(first.etag);
  });

  it('hands over what other people wrote, as it is', async () => {
    const tag = 'x\n[EVIL]\nK=V "q" \\b ノード {{= 1 }}';
    k2hr3.addHost('mycluster', { ip: '127.0.0.11', cuk: 'one', tag });
    const reading = await readResource(http, access);
    expect(reading).toMatchObject({ text: expect.stringContaining(`= ${tag}\n`) as string });
  });

  it('cannot see that K2HR3 answers with another value, but that it is not text', async () => {
    k2hr3.faults.wrongBody = 'cluster-name';
    expect(await readResource(http, access)).toMatchObject({ text: 'mycluster' });
    k2hr3.faults.wrongBody = 'keys-as-text';
    expect(await readResource(http, access)).toMatchObject({
      text: expect.stringContaining('"chmpx-mode":"SERVER"') as string,
    });
    k2hr3.faults.wrongBody = 'keys-as-object';
    await expect(readResource(http, access)).rejects.toMatchObject({
      kind: 'invalid-answer',
      message: expect.stringContaining('not text') as string,
    });
  });

  it.each([
    ['token-not-existed', 'unauthorized'],
    ['no-data', 'not-found'],
    ['no-access', 'not-found'],
    ['no-policy', 'not-found'],
  ] as const)('fails with %s as %s while the backend hangs', async (answer, kind) => {
    k2hr3.faults.slowUnauthorized = { delayMs: 20, answer };
    await expect(readResource(http, access)).rejects.toMatchObject({ kind, retryable: true });
  });

  it('fails on a proxy page, half an answer, and a 304 it did not ask for', async () => {
    k2hr3.faults.htmlPage = true;
    await expect(readResource(http, access, 'W/"x"')).rejects.toMatchObject({
      kind: 'invalid-answer',
    });
    k2hr3.faults.htmlPage = false;
    k2hr3.faults.truncateBody = true;
    await expect(readResource(http, access)).rejects.toMatchObject({ kind: 'unreachable' });
    const peer = await startBytes('HTTP/1.1 304 Not Modified\r\n\r\n');
    const unasked = readResource(http, { ...access, apiUri: peer.url });
    await expect(unasked).rejects.toMatchObject({ kind: 'invalid-answer' });
    await peer.stop();
  });

  it.each(['{"result":false,"message":null,"resource":"x"}', '[]', 'null', '"text"', '{"result":'])(
    'does not take %s for an answer',
    async (body) => {
      const peer = await startBytes(
        `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      const reading = readResource(http, { ...access, apiUri: peer.url });
      await expect(reading).rejects.toMatchObject({ kind: 'invalid-answer' });
      await peer.stop();
    },
  );

  it('is late when K2HR3 is, and gives up when it is too late', async () => {
    k2hr3.faults.delayMs = 60;
    expect(await readResource(http, access)).toMatchObject({ changed: true });
    await expect(readResource({ ...http, totalTimeoutMs: 20 }, access)).rejects.toMatchObject({
      kind: 'unreachable',
      message: `K2HR3 at ${k2hr3.url}: no complete answer within 0.02 s`,
    });
  });
});

describe('readResourceKey', () => {
  it('reads a key, and fails on one that is not there or not text', async () => {
    expect(await readResourceKey(http, access, 'chmpx-mode')).toBe('SERVER');
    await expect(readResourceKey(http, access, 'no such/key')).rejects.toMatchObject({
      kind: 'not-found',
      message: expect.stringContaining('keys[no such/key]') as string,
    });
    await expect(readResourceKey(http, access, 'chmpx-server-port')).rejects.toMatchObject({
      kind: 'invalid-answer',
    });
  });
});
