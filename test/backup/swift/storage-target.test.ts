import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { callerOf } from '../../../src/backup/swift/caller.ts';
import { parseLocation } from '../../../src/backup/swift/location.ts';
import type { StorageConfig } from '../../../src/backup/swift/storage-config.ts';
import { findStorage } from '../../../src/backup/swift/storage-target.ts';
import { PLAIN_STORAGE } from '../../helpers/storage-config.ts';
import { answering } from '../../http/http-server.ts';

const caller = { token: 'user-token', projectId: 'p1', serviceCatalog: [] as unknown[] };
const oldCatalog = (region: string, url: string): unknown => ({
  type: 'object-store',
  name: 'swift',
  endpoints: [{ region, publicURL: url, internalURL: 'http://inside/v1/AUTH_p1' }],
});
const location = parseLocation('http://old.example/v1/AUTH_p1/database_backups/b.gz');
const find = (
  wanted: Parameters<typeof findStorage>[0],
  config: Partial<StorageConfig> = {},
  by = caller,
): ReturnType<typeof findStorage> =>
  findStorage(wanted, by, { ...PLAIN_STORAGE, ...config }, systemClock);

describe('findStorage', () => {
  it('prefers swift_url of backup_info to everything', async () => {
    const config = { swiftUrl: 'http://configured/v1/AUTH_' };
    expect(await find({ swiftUrl: 'http://given/v1/AUTH_p1/', location }, config)).toEqual({
      accountUrl: 'http://given/v1/AUTH_p1',
      token: 'user-token',
      source: 'backup_info',
    });
  });

  it('then takes the configured one, with the project behind it', async () => {
    const by = { ...caller, serviceCatalog: [oldCatalog('r', 'http://listed/v1/AUTH_p1')] };
    const config = { swiftUrl: 'http://configured/v1/AUTH_' };
    expect(await find({ swiftUrl: null }, config, by)).toMatchObject({
      accountUrl: 'http://configured/v1/AUTH_p1',
      source: 'configuration',
    });
  });

  it.each([
    [null, 'publicURL', 'http://one/v1/AUTH_p1'],
    ['two', 'publicURL', 'http://two/v1/AUTH_p1'],
    ['two', 'internalURL', 'http://inside/v1/AUTH_p1'],
  ])('then the catalog of the request (region %s, %s)', async (region, endpointType, url) => {
    const serviceCatalog = [
      { type: 'image', endpoints: [{ publicURL: 'http://image' }] },
      oldCatalog('one', 'http://one/v1/AUTH_p1'),
      oldCatalog('two', 'http://two/v1/AUTH_p1'),
    ];
    const found = await find(
      { swiftUrl: null },
      { region, endpointType },
      { ...caller, serviceCatalog },
    );
    expect(found).toMatchObject({ accountUrl: url, source: 'service catalog' });
  });

  it.each(['', '/v3', '/v3/', '/v2.0'])('then Keystone, known as …%s', async (suffix) => {
    const keystone = await fakeKeystone((answer) => {
      answer.writeHead(201, { 'X-Subject-Token': 'project-token' });
      const endpoints = [
        { interface: 'internal', region: 'r', url: 'http://inside' },
        { interface: 'public', region: 'r', region_id: 'r', url: 'http://scoped/v1/AUTH_p1' },
      ];
      answer.end(JSON.stringify({ token: { catalog: [{ type: 'object-store', endpoints }] } }));
    });
    const config = { authUrl: `${keystone.url}/identity${suffix}`, region: 'r' };
    expect(await find({ swiftUrl: null, location }, config)).toEqual({
      accountUrl: 'http://scoped/v1/AUTH_p1',
      token: 'project-token',
      source: 'Keystone',
    });
    expect(keystone.requests).toEqual([
      {
        path: 'POST /identity/v3/auth/tokens',
        body: {
          auth: {
            identity: { methods: ['token'], token: { id: 'user-token' } },
            scope: { project: { id: 'p1' } },
          },
        },
      },
    ]);
  });

  it('goes by the own location of a backup at last', async () => {
    const keystone = await fakeKeystone((answer) => answer.writeHead(401).end());
    for (const authUrl of [null, keystone.url]) {
      expect(await find({ swiftUrl: null, location }, { authUrl })).toMatchObject({
        accountUrl: 'http://old.example/v1/AUTH_p1',
        token: 'user-token',
        source: 'location',
      });
    }
  });

  it.each([
    [401, 'does not accept the token of the request (status 401)'],
    [503, 'answered with status 503'],
    [200, 'answered without a token and a catalog'],
  ])('says what Keystone answered: %i', async (status, why) => {
    const keystone = await fakeKeystone((answer) => answer.writeHead(status).end('{}'));
    const failure = find({ swiftUrl: null }, { authUrl: keystone.url });
    await expect(failure).rejects.toThrow(`Keystone at ${keystone.url} ${why}`);
    await expect(failure).rejects.not.toThrow('user-token');
  });

  it('says what each source lacks', async () => {
    await expect(find({ swiftUrl: null }, { region: 'r' })).rejects.toThrow(
      "have no swift_url, the request's catalog has no publicURL of type object-store in r, and no auth_url is configured",
    );
  });

  it('refuses what is no URL', async () => {
    await expect(find({ swiftUrl: 'AUTH_p1' })).rejects.toThrow(
      'from the backup_info is not http:',
    );
  });
});

describe('callerOf', () => {
  it('reads contexts of older and newer releases', () => {
    const serviceCatalog = [{}];
    const context = { auth_token: 't', project_id: 'p', service_catalog: serviceCatalog };
    expect(callerOf(context)).toEqual({ token: 't', projectId: 'p', serviceCatalog });
    expect(callerOf({ auth_token: 't', project_id: null, tenant: 'p' })).toMatchObject({
      projectId: 'p',
      serviceCatalog: [],
    });
  });

  it('says what a context lacks', () => {
    expect(() => callerOf({ project_id: 'p' })).toThrow('has no auth_token');
    expect(() => callerOf({ auth_token: 't' })).toThrow('has no project_id');
  });
});

/** A Keystone that answers every request as told, and keeps what it was asked. */
async function fakeKeystone(
  answer: (response: ServerResponse) => void,
): Promise<{ url: string; requests: unknown[] }> {
  const requests: unknown[] = [];
  const url = await answering((incoming, response) => {
    void text(incoming).then((body) => {
      requests.push({
        path: `${incoming.method ?? ''} ${incoming.url ?? ''}`,
        body: JSON.parse(body) as unknown,
      });
      answer(response);
    });
  });
  return { url, requests };
}
