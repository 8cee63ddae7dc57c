import { describe, expect, it, onTestFinished } from 'vitest';
import { rescope } from '../../../src/backup/swift/keystone.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { answering } from '../../http/http-server.ts';
import { KeystoneStandIn } from '../../simulators/keystone/stand-in.ts';

const PLAIN = { ca: undefined, clock: systemClock };
const CALLER = { token: 'gAAAA-secret', projectId: 'p' };

async function standIn() {
  const token = (): Promise<string> => Promise.resolve('of p');
  const keystone = await KeystoneStandIn.start([{ id: 'p', swiftUrl: 'http://s/v1/A', token }]);
  onTestFinished(() => keystone.close());
  return keystone;
}

describe('a token of the user', () => {
  it.each(['', '/', '/v3', '/v3/', '/v2.0'])(
    'is exchanged for one of the project when auth_url ends with "%s"',
    async (end) => {
      const keystone = await standIn();
      const { origin } = new URL(keystone.authUrl);
      const caller = { token: keystone.userToken(), projectId: 'p' };
      const { token, catalog } = await rescope(`${origin}${end}`, caller, PLAIN);
      expect(token).toBe('of p');
      expect(catalog).toMatchObject([{ type: 'identity' }, { type: 'object-store' }]);
    },
  );

  it('that has expired is refused, in one line without it', async () => {
    const keystone = await standIn();
    const { origin } = new URL(keystone.authUrl);
    await expect(rescope(keystone.authUrl, CALLER, PLAIN)).rejects.toMatchObject({
      message: `Keystone at ${origin} does not accept the token of the request (status 401): it has expired, or is of another cloud`,
      retryable: true,
    });
  });
});

it('a Keystone that fails is named with its status', async () => {
  const keystone = await standIn();
  keystone.fail = 503;
  await expect(rescope(keystone.authUrl, CALLER, PLAIN)).rejects.toThrow(
    /answered with status 503$/,
  );
});

it.each([
  ['no token', {}, '{"token":{"catalog":[]}}'],
  ['no catalog', { 'X-Subject-Token': 't' }, '{"token":{}}'],
  ['a catalog that is no list', { 'X-Subject-Token': 't' }, '{"token":{"catalog":{}}}'],
  ['no JSON', { 'X-Subject-Token': 't' }, '<html>'],
])('an answer with %s is none', async (_what, headers, body) => {
  const url = await answering((request, response) => {
    request.resume();
    response.writeHead(201, headers).end(body);
  });
  await expect(rescope(url, CALLER, PLAIN)).rejects.toThrow(
    `Keystone at ${url} answered without a token and a catalog`,
  );
});

it.each(['keystone', 'ftp://keystone.example/v3', 'http://keystone.example/v3?x=1', ''])(
  'an auth_url "%s" is refused as the setting that it is',
  async (authUrl) => {
    await expect(rescope(authUrl, CALLER, PLAIN)).rejects.toThrow(
      `auth_url of [service_credentials] is not http://host:port/… or https://…, without a user or a query: ${authUrl}`,
    );
  },
);

describe('a Keystone that says nothing', () => {
  it('is not waited for longer than 30 s', async () => {
    let isAsked = false;
    const url = await answering((request) => {
      request.resume();
      isAsked = true;
    });
    const clock = new ManualClock();
    const refusal = expect(rescope(url, CALLER, { ...PLAIN, clock })).rejects.toThrow(
      `Keystone at ${url} cannot be asked: no complete answer within 30 s`,
    );
    await expect.poll(() => isAsked).toBe(true);
    await clock.advance(30_000);
    await refusal;
  });

  it('in the middle of its answer has not answered', async () => {
    const url = await answering((request, response) => {
      request.resume();
      response.writeHead(201, { 'X-Subject-Token': 't' }).write('{"token":');
      setImmediate(() => response.destroy());
    });
    await expect(rescope(url, CALLER, PLAIN)).rejects.toThrow(/cannot be asked: /);
  });
});
