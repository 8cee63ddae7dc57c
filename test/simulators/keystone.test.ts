import { expect, it, onTestFinished } from 'vitest';
import { KeystoneStandIn } from './keystone/stand-in.ts';

const SWIFT = 'http://127.0.0.1:8080/v1/AUTH_p1';

async function start(): Promise<KeystoneStandIn> {
  const token = (): Promise<string> => Promise.resolve('project-token');
  const keystone = await KeystoneStandIn.start([{ id: 'p1', swiftUrl: SWIFT, token }]);
  onTestFinished(() => keystone.close());
  return keystone;
}

function ask(keystone: KeystoneStandIn, token: string, projectId: string): Promise<Response> {
  const identity = { methods: ['token'], token: { id: token } };
  const body = JSON.stringify({ auth: { identity, scope: { project: { id: projectId } } } });
  return fetch(`${keystone.authUrl}/auth/tokens`, { method: 'POST', body });
}

it("exchanges a user's token for one of the project, with the catalog", async () => {
  const keystone = await start();
  const answer = await ask(keystone, keystone.userToken(), 'p1');
  expect(answer.status).toBe(201);
  expect(answer.headers.get('x-subject-token')).toBe('project-token');
  expect(await answer.json()).toMatchObject({
    token: {
      project: { id: 'p1' },
      catalog: [{}, { type: 'object-store', endpoints: [{}, { interface: 'public', url: SWIFT }] }],
    },
  });
});

it('answers 401 to an unknown token, an expired one and a foreign project', async () => {
  const keystone = await start();
  const expired = keystone.userToken();
  keystone.expire(expired);
  const asked = [
    await ask(keystone, 'unknown', 'p1'),
    await ask(keystone, expired, 'p1'),
    await ask(keystone, keystone.userToken(), 'p2'),
  ];
  expect(asked.map(({ status }) => status)).toEqual([401, 401, 401]);
  expect(keystone.requests.map(({ projectId }) => projectId)).toEqual(['p1', 'p1', 'p2']);
});

it('fails as told', async () => {
  const keystone = await start();
  keystone.fail = 503;
  expect((await ask(keystone, keystone.userToken(), 'p1')).status).toBe(503);
});
