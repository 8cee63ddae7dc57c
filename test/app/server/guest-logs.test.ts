import { open } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { guestLogs, ownSource } from '../../../src/app/server/guest-logs.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';

const labels = async (launcher: 'direct' | 'systemd') =>
  (await guestLogs(launcher, '/state'))
    .slice(1)
    .map(({ name, type, source }) => [name, type, source?.label]);

it('of the programs are in the files of the direct launcher, or in the journal', async () => {
  expect(await labels('direct')).toEqual([
    ['chmpx', 'USER', '/state/programs/chmpx.out'],
    ['k2hdkc', 'USER', '/state/programs/k2hdkc.out'],
  ]);
  expect(await labels('systemd')).toEqual([
    ['chmpx', 'USER', 'journal:k2hdkc-guest-chmpx.service'],
    ['k2hdkc', 'USER', 'journal:k2hdkc-guest-k2hdkc.service'],
  ]);
});

it('of the agent is where its standard output goes', async () => {
  const file = path.join(await temporaryDirectory(), 'agent.log');
  const handle = await open(file, 'a');
  onTestFinished(() => handle.close());
  const { dev, ino } = await handle.stat();
  expect((await ownSource(undefined, handle.fd))?.label).toBe(file);
  expect((await ownSource('1:2', handle.fd))?.label).toBe(file);
  const journal = await ownSource(`${dev}:${ino}`, handle.fd);
  expect(journal?.label).toBe('journal:k2hdkc-guest-agent.service');
});

it('of the agent is nowhere when that is a device', async () => {
  const handle = await open('/dev/null', 'a');
  onTestFinished(() => handle.close());
  expect(await ownSource(undefined, handle.fd)).toBeNull();
});
