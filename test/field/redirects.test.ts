import { getEventListeners } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { rescope } from '../../src/backup/swift/keystone.ts';
import { SwiftClient } from '../../src/backup/swift/swift-client.ts';
import { systemClock } from '../../src/base/clock.ts';
import { messageOf } from '../../src/base/errors.ts';
import { redirectOf } from '../../src/http/redirect.ts';
import { readResource } from '../../src/k2hr3/resource.ts';
import { answering } from '../http/http-server.ts';
import { KeystoneStandIn } from '../simulators/keystone/stand-in.ts';
import { md5, startMemorySwift } from '../backup/swift/memory-swift.ts';

const STATUSES = [301, 302, 303, 307, 308];

/** In front of a service: it sends every caller to the same path at `to`. */
function front(status: number, to: string, calls: string[] = []): Promise<string> {
  return answering((request, response) => {
    calls.push(request.method ?? '');
    request.resume();
    response.writeHead(status, { Location: `${to}${request.url ?? ''}` }).end('<html>');
  });
}

describe('where a redirect leads', () => {
  it.each([
    ['http://h/v3', 'https://h/v3', 'https://h/v3'],
    ['http://h/v3', '/identity/v3', 'http://h/identity/v3'],
    ['https://h/v3', 'https://h:8443/v3', 'https://h:8443/v3'],
    ['http://h/v3', '/identity/v3#tokens', 'http://h/identity/v3'],
    ['https://h/v3', 'http://h/v3', null],
    ['http://h/v3', 'http://other/v3', null],
    ['http://h/v3', 'https://user:pw@h/v3', null],
    ['http://h/v3', 'ftp://h/v3', null],
  ])('from %s to %s: a token goes to %s', (from, location, to) => {
    const redirect = redirectOf({ status: 301, headers: { location } }, new URL(from));
    expect(redirect?.url?.href ?? null).toBe(to);
    expect(redirect?.place).not.toMatch(/pw|\?/);
  });

  it.each([
    [200, 'https://h/'],
    [304, 'https://h/'],
    [305, 'https://h/'],
    [301, undefined],
    [301, 'http://'],
  ])('%d with %s is none', (status, location) => {
    expect(redirectOf({ status, headers: { location } }, new URL('http://h/'))).toBeNull();
  });
});

describe('Keystone', () => {
  async function behind(front: (to: string) => Promise<string>) {
    const project = { id: 'p', swiftUrl: 'http://s/v1/A', token: () => Promise.resolve('of p') };
    const keystone = await KeystoneStandIn.start([project]);
    onTestFinished(() => keystone.close());
    const origin = await front(new URL(keystone.authUrl).origin);
    const caller = { token: keystone.userToken(), projectId: 'p' };
    return rescope(`${origin}/v3`, caller, { ca: undefined, clock: systemClock });
  }

  it.each(STATUSES)('that redirects by %d is followed, with method and body', async (status) => {
    expect(await behind((to) => front(status, to))).toMatchObject({ token: 'of p' });
  });

  it('that redirects to another host is not: the line names it', async () => {
    await expect(behind(() => front(301, 'http://keystone.elsewhere'))).rejects.toThrow(
      /status 301: it redirects to http:\/\/keystone\.elsewhere\/v3\/auth\/tokens, .* set auth_url of \[service_credentials\] to http:\/\/keystone\.elsewhere\/v3$/,
    );
  });

  it('that redirects to what is no Keystone is named without a wrong auth_url', async () => {
    const login = (): Promise<string> =>
      answering((request, response) => {
        request.resume();
        response.writeHead(302, { Location: 'http://login.example/' }).end();
      });
    await expect(behind(login)).rejects.toThrow(/to that of Keystone$/);
  });

  it('that redirects in a circle is left', async () => {
    const calls: string[] = [];
    await expect(behind(() => front(302, '', calls))).rejects.toThrow(
      /it redirects to http:\S+, after 5 other places$/,
    );
    expect(calls).toHaveLength(6);
  });
});

describe('Swift', () => {
  async function behind(front: (to: string) => Promise<string>, signal?: AbortSignal) {
    const swift = await startMemorySwift();
    swift.containers.add('c');
    const origin = await front(new URL(swift.storageUrl).origin);
    const storageUrl = `${origin}/v1/AUTH_test`;
    const client = new SwiftClient({ storageUrl, token: swift.token, clock: systemClock, signal });
    onTestFinished(() => client.close());
    return { client, swift };
  }

  it.each([
    [301, ['PUT']],
    [302, ['PUT', 'HEAD']],
    [303, ['PUT', 'HEAD']],
    [307, ['PUT', 'HEAD']],
    [308, ['PUT']],
  ])('that redirects by %d is followed; only one for good is remembered', async (status, asked) => {
    const calls: string[] = [];
    const { client } = await behind((to) => front(status, to, calls));
    expect(await client.put('c', 'o', Buffer.from('hello'))).toBe(md5('hello'));
    expect(await client.head('c', 'o')).toMatchObject({ bytes: 5 });
    expect(calls).toEqual(asked);
  });

  it('that redirects for once to where it redirects for good is asked at the first place again', async () => {
    const first: string[] = [];
    const second: string[] = [];
    const { client } = await behind(async (to) => front(307, await front(301, to, second), first));
    await client.put('c', 'o', Buffer.from('hello'));
    expect(await client.head('c', 'o')).toMatchObject({ bytes: 5 });
    expect([first, second]).toEqual([
      ['PUT', 'HEAD'],
      ['PUT', 'HEAD'],
    ]);
  });

  it.each([307, 308])('that redirects a body on its way by %d gets it next', async (status) => {
    let redirected = 0;
    const { client } = await behind((to) =>
      answering((request, response) => {
        request.once('data', () => {
          redirected++;
          response.writeHead(status, { Location: `${to}${request.url ?? ''}` }).end();
        });
      }),
    );
    async function* body(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from('hello'));
    }
    await expect(client.put('c', 'o', body())).rejects.toMatchObject({ retryable: true });
    expect(await client.put('c', 'o', body())).toBe(md5('hello'));
    expect(redirected).toBe(1);
    // What stands for one call only does not stand for the next one.
    const another = client.put('c', 'o', body()).then(() => 'stored', messageOf);
    expect(await another).toMatch(status === 308 ? 'stored' : 'it redirects to');
  });

  it('that redirects to another host is not followed: the line names it', async () => {
    const { client } = await behind(() => front(301, 'http://swift.elsewhere'));
    const refusal = client.head('c', 'o');
    await expect(refusal).rejects.toMatchObject({ status: 301, retryable: false });
    await expect(refusal).rejects.toThrow('redirects to http://swift.elsewhere/v1/AUTH_test/c/o,');
    await expect(refusal).rejects.toThrow(/ the account http:\/\/swift\.elsewhere\/v1\/AUTH_test$/);
  });

  it('that redirects in a circle is left', async () => {
    const calls: string[] = [];
    const { client } = await behind(() => front(302, '', calls));
    await expect(client.head('c', 'o')).rejects.toThrow(/redirects to \S+, after 5 other places$/);
    expect(calls).toHaveLength(6);
  });

  it('that redirects leaves nothing that waits for the end of the agent', async () => {
    const { signal } = new AbortController();
    const { client } = await behind((to) => front(307, to), signal);
    expect(await client.put('c', 'o', Buffer.from('hello'))).toBe(md5('hello'));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

it('K2HR3 that redirects is not followed: the line names the new address without its path', async () => {
  const apiUri = await front(301, 'https://k2hr3.example:8443/secret');
  const role = { tenant: 'yrn:yahoo:::demo', roleName: 'yrn:yahoo:::demo:role:c/server' };
  const access = { ...role, apiUri, roleToken: 'a'.repeat(64) };
  await expect(readResource({ clock: systemClock }, access)).rejects.toThrow(
    /status 301, which redirects to https:\/\/k2hr3\.example:8443: use that address$/,
  );
});
