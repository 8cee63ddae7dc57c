import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rawCall } from '../k2hr3/raw-call.ts';
import { startK2hr3 } from './k2hr3/stand-in.ts';
import type { K2hr3StandIn } from './k2hr3/stand-in.ts';

/** One exchange captured from a real K2HR3; `{name}` stands for what differs from run to run. */
interface Capture {
  capture: string;
  from: string;
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
  rawBody?: string;
  expect: { status: number; headers: Record<string, string>; body?: unknown };
}

const fixtures = new URL('../fixtures/k2hr3/', import.meta.url);

function fixture(name: string): string {
  return readFileSync(new URL(name, fixtures), 'utf8');
}

/** Our comments are not the real ones, and those were cut from the captures. */
function withoutComments(text: string): string {
  return text.replaceAll(/^#.*\n/gm, '');
}

const CLUSTER = {
  cluster: 'mycluster',
  serverPort: '8020',
  serverControlPort: '8021',
  slaveControlPort: '8031',
};
const UA = { 'user-agent': 'extdata_k2hr3_trove' };

describe.each(['answers.json', 'answers-odd-hosts.json'])('as captured: %s', (file) => {
  let k2hr3: K2hr3StandIn;
  const names = new Map<string, string>();

  beforeAll(async () => {
    k2hr3 = await startK2hr3();
    const { roleToken, extdataUrl, slave } = k2hr3.addCluster(CLUSTER);
    const path = extdataUrl.replace(/.*\//, '');
    names.set('server-token', roleToken).set('slave-token', slave.roleToken);
    names.set('registerpath', path).set('cut-registerpath', `${path.slice(0, 150)}AAAA`);
  });
  afterAll(() => k2hr3.stop());

  /** Fills in the names; the text of a resource and what K2HR3 has drawn stay out of it. */
  const fill = (text: string): string =>
    text.replaceAll(/\{([\w-]+)\}/g, (all, name: string) => names.get(name) ?? all);

  it.each(JSON.parse(fixture(file)) as Capture[])('$capture', async (capture) => {
    const answer = await rawCall({
      url: k2hr3.url + fill(capture.path),
      from: capture.from,
      method: capture.method,
      headers: Object.fromEntries(
        Object.entries(capture.headers ?? {}).map(([name, value]) => [name, fill(value)]),
      ),
      body: capture.rawBody ?? (capture.body ? JSON.stringify(capture.body) : undefined),
    });
    const text = answer.body.toString();
    const body = (text === '' ? undefined : JSON.parse(text)) as Record<string, string> | undefined;
    for (const kind of ['token', 'registerpath']) {
      if (body?.[kind]) names.set(`${kind}-of-capture-${capture.capture.slice(0, 3)}`, body[kind]);
    }
    if (body?.['resource']) body['resource'] = withoutComments(body['resource']);
    names.set('etag', answer.headers.etag ?? '');

    expect({ status: answer.status, body }).toEqual({
      status: capture.expect.status,
      body: expectedBody(fill(JSON.stringify(capture.expect.body ?? null))),
    });
    const { date, connection, 'keep-alive': keepAlive, ...headers } = answer.headers;
    expect([date, connection, keepAlive]).toEqual([expect.anything(), 'keep-alive', 'timeout=5']);
    for (const [name, value] of Object.entries(capture.expect.headers)) {
      if (value === '*') headers[name] &&= '*';
    }
    expect(headers).toEqual(capture.expect.headers);
  });
});

function expectedBody(text: string): unknown {
  const body = JSON.parse(text) as { resource?: unknown } | null;
  if (body === null) return undefined;
  const file = typeof body.resource === 'string' && /^\{file:(.*)\}$/.exec(body.resource)?.[1];
  return file ? { ...body, resource: fixture(file) } : body;
}

describe('what the captures do not show by themselves', () => {
  let k2hr3: K2hr3StandIn;
  let cluster: ReturnType<K2hr3StandIn['addCluster']>;

  beforeAll(async () => {
    k2hr3 = await startK2hr3();
    cluster = k2hr3.addCluster({ ...CLUSTER, k2hFile: '/data/k2hdkc.k2h' });
  });
  afterAll(() => k2hr3.stop());

  it('gives a script with the five values, packed when gzip is accepted (captures 003, 004)', async () => {
    const plain = await rawCall({ url: cluster.extdataUrl, headers: UA });
    expect(plain.headers['content-type']).toBe('text/x-shellscript; charset=utf-8');
    expect(plain.body.toString().split('\n')).toEqual(
      expect.arrayContaining([
        '#!/bin/sh',
        `K2HR3_ROLE_TOKEN="${cluster.roleToken}"`,
        'K2HR3_ROLE_NAME="yrn:yahoo:::tenant0:role:mycluster/server"',
        'K2HR3_ROLE_TENANT="yrn:yahoo:::tenant0"',
        `K2HR3_API_HOST_URI="${k2hr3.url}"`,
        'K2HR3_ERROR_MSG=""',
      ]),
    );
    const packed = await rawCall({
      url: cluster.extdataUrl,
      headers: { ...UA, 'accept-encoding': 'gzip' },
    });
    expect(packed.headers).toMatchObject({
      'content-type': 'application/zip',
      'content-encoding': 'gzip',
      'content-transfer-encoding': 'binary',
      'content-disposition': 'attachment; filename=k2hr3-extdata.gz',
    });
    expect(gunzipSync(packed.body)).toEqual(plain.body);
  });

  it('refuses a register path that the client has decoded', async () => {
    const { status } = await rawCall({ url: decodeURIComponent(cluster.extdataUrl), headers: UA });
    expect(status).toBe(400);
  });

  it('registers an encoded yrn in a phantom role and answers 201', async () => {
    const name = encodeURIComponent(cluster.roleName);
    const headers = { 'x-auth-token': `R=${cluster.roleToken}` };
    const put = { method: 'PUT', url: `${k2hr3.url}/v1/role/${name}?cuk=a&tag=b`, headers };
    expect((await rawCall(put)).status).toBe(201);
    expect(k2hr3.hosts('mycluster')).toEqual([]);
    expect(k2hr3.roles()).toEqual([
      'yrn:yahoo:::tenant0:role:yrn%3ayahoo%3a%3a%3atenant0%3arole%3amycluster%2fserver',
    ]);
    expect((await rawCall({ url: `${k2hr3.url}/v1/resource/${name}`, headers })).status).toBe(404);
  });

  it('sorts hosts as text, and lets them be added and removed from outside', async () => {
    for (const ip of ['10.0.0.9', '10.0.0.10', '10.0.0.1', '10.0.0.2']) {
      k2hr3.addHost('mycluster', { ip, cuk: `cuk-of-${ip}`, tag: ip });
    }
    expect(k2hr3.removeHost('mycluster', 'cuk-of-10.0.0.2')).toBe(1);
    expect(k2hr3.removeHost('mycluster', 'cuk-of-10.0.0.2')).toBe(0);
    const order = ['10.0.0.1', '10.0.0.10', '10.0.0.9'];
    expect(k2hr3.hosts('mycluster').map(({ ip }) => ip)).toEqual(order);
    const { body } = await rawCall({
      url: `${k2hr3.url}/v1/resource/mycluster/server`,
      headers: { 'x-auth-token': `R=${cluster.roleToken}` },
    });
    const { resource } = JSON.parse(body.toString()) as { resource: string };
    expect([...resource.matchAll(/^NAME += (10.*)$/gm)].map(([, name]) => name)).toEqual(order);
    expect(resource).toContain('K2HFILE             = /data/k2hdkc.k2h\n');
  });

  it('logs calls without secrets', async () => {
    await rawCall({ url: cluster.extdataUrl, headers: UA, from: '127.0.0.5' });
    const { requests } = k2hr3;
    expect(requests.at(-1)).toEqual({
      method: 'GET',
      path: '/v1/extdata/trove/[registerpath]',
      status: 200,
      sourceAddress: '127.0.0.5',
      token: 'none',
    });
    expect(JSON.stringify(requests)).not.toContain(cluster.roleToken);
  });
});
