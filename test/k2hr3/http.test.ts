import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { request } from '../../src/k2hr3/http.ts';
import { startK2hr3 } from '../simulators/k2hr3/stand-in.ts';
import { clockThatPasses, startBytes } from './peers.ts';

const options = { clock: systemClock };
const ended: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

async function bytes(...args: Parameters<typeof startBytes>): ReturnType<typeof startBytes> {
  const peer = await startBytes(...args);
  ended.push(() => peer.stop());
  return peer;
}

async function k2hr3(...args: Parameters<typeof startK2hr3>): ReturnType<typeof startK2hr3> {
  const peer = await startK2hr3(...args);
  ended.push(() => peer.stop());
  return peer;
}

describe('request', () => {
  it('returns any status with headers and text', async () => {
    const { url } = await k2hr3();
    expect(await request({ method: 'GET', url: `${url}/v1/nosuch` }, options)).toMatchObject({
      origin: url,
      status: 404,
      headers: { 'x-powered-by': 'Express' },
      body: '{"result":false,"message":"Internal server error"}',
    });
  });

  it('calls from the local address it is given', async () => {
    const { url, requests } = await k2hr3();
    await request({ method: 'GET', url }, { ...options, localAddress: '127.0.0.31' });
    expect(requests[0]?.sourceAddress).toBe('127.0.0.31');
  });

  it('says so when the local address is not one of this machine', async () => {
    const { url } = await k2hr3();
    const call = request({ method: 'GET', url }, { ...options, localAddress: '192.0.2.1' });
    await expect(call).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('EADDRNOTAVAIL') as string,
    });
  });

  it.each([
    ['a body that breaks off', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf'],
    ['nothing at all', ''],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ])('takes %s for unreachable', async (_, answer) => {
    const { url } = await bytes(answer);
    await expect(request({ method: 'GET', url }, options)).rejects.toMatchObject({
      kind: 'unreachable',
      retryable: true,
    });
  });

  it('tries a reset GET once more, and a PUT never', async () => {
    const peer = await k2hr3();
    peer.faults.resetConnections = 1;
    expect((await request({ method: 'GET', url: peer.url }, options)).status).toBe(200);

    peer.faults.resetConnections = 2;
    const reset = { kind: 'unreachable', message: expect.stringContaining(peer.url) as string };
    await expect(request({ method: 'GET', url: peer.url }, options)).rejects.toMatchObject(reset);
    expect(peer.faults.resetConnections).toBe(0);

    peer.faults.resetConnections = 2;
    await expect(request({ method: 'PUT', url: peer.url }, options)).rejects.toMatchObject(reset);
    expect(peer.faults.resetConnections).toBe(1);
  });

  it('tries an answer that breaks off once more', async () => {
    const peer = await bytes('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf');
    await expect(request({ method: 'GET', url: peer.url }, options)).rejects.toThrow();
    expect(peer.connections()).toBe(2);
  });

  it('reports a refused connection, and works when the server is back', async () => {
    const peer = await k2hr3();
    await peer.goDown();
    await expect(request({ method: 'GET', url: peer.url }, options)).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
    await peer.comeBack();
    expect((await request({ method: 'GET', url: peer.url }, options)).status).toBe(200);
  });

  it.each([
    ['no answer comes', ''],
    ['the answer does not end', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf'],
  ])('gives up after the total time when %s', async (_, answer) => {
    const { url, connections } = await bytes(answer, { leaveOpen: true });
    const call = request({ method: 'GET', url }, { clock: clockThatPasses(30_000) });
    await expect(call).rejects.toMatchObject({
      kind: 'unreachable',
      message: `K2HR3 at ${url}: no complete answer within 30 s`,
    });
    await expect.poll(connections).toBe(1);
  });

  it('gives up after the connect time when TLS does not come about', async () => {
    const { url } = await bytes('', { leaveOpen: true });
    const secure = url.replace('http:', 'https:');
    const call = request({ method: 'GET', url: secure }, { clock: clockThatPasses(5000) });
    await expect(call).rejects.toMatchObject({
      kind: 'unreachable',
      message: `K2HR3 at ${secure}: no connection within 5 s`,
    });
  });

  it.each(['', 'ftp://h/secret', 'http://user:secret@h/', 'http://h/a secret', '/v1/secret'])(
    'refuses %j without repeating it',
    async (url) => {
      const call = request({ method: 'GET', url }, options);
      await expect(call).rejects.toMatchObject({ kind: 'rejected', retryable: false });
      await expect(call).rejects.not.toThrow('secret');
    },
  );

  it('stops when the caller does', async () => {
    const { url } = await bytes('', { leaveOpen: true });
    const caller = new AbortController();
    const call = request({ method: 'GET', url }, { ...options, signal: caller.signal });
    caller.abort(new Error('the agent stops'));
    await expect(call).rejects.toMatchObject({
      kind: 'unreachable',
      message: `K2HR3 at ${url}: the agent stops`,
    });
  });

  it('speaks https with a CA it is given, and only then', async () => {
    const pem = (name: string): string =>
      readFileSync(new URL(`../fixtures/k2hr3/tls-${name}.pem`, import.meta.url), 'utf8');
    const { url } = await k2hr3({ tls: { key: pem('key'), cert: pem('cert') } });
    const call = { method: 'GET', url } as const;
    expect((await request(call, { ...options, ca: pem('cert') })).status).toBe(200);
    await expect(request(call, options)).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('name that in k2hr3.ca_file of agent.yaml') as string,
    });
  });
});
