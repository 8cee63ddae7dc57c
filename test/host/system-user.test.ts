import { userInfo } from 'node:os';
import { expect, it } from 'vitest';
import { findUser } from '../../src/host/system-user.ts';

it('finds a user', async () => {
  const { username, uid, gid } = userInfo();
  expect(await findUser(username)).toEqual({ name: username, uid, gid });
});

it.each(['no-such-user', '', '--help'])(
  'says how to make one that is not there: %j',
  async (name) => {
    await expect(findUser(name)).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining(`there is no user ${name}; make it with: useradd`) as string,
    });
  },
);
