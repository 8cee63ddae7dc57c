import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { removeUpstreamFiles, writeUpstreamFiles } from '../../src/k2hr3/upstream-files.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const ACCESS = {
  apiUri: 'http://10.0.0.5:18080',
  roleName: 'yrn:yahoo:::demo:role:cluster/server',
  tenant: 'yrn:yahoo:::demo',
  roleToken: 'ab'.repeat(32),
};
const IDENTITY = { cuk: 'instance-1', tag: 'node-1' };

it('writes what upstream’s tools read, without line breaks, for their owner only', async () => {
  const directory = path.join(await temporaryDirectory(), 'antpickax');
  await writeUpstreamFiles(directory, ACCESS, IDENTITY);
  const names = await readdir(directory);
  const files = names.map(async (name) => {
    const file = path.join(directory, name);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    return [name, await readFile(file, 'utf8')] as const;
  });
  expect(Object.fromEntries(await Promise.all(files))).toEqual({
    'k2hr3-role-token': ACCESS.roleToken,
    'k2hr3-role-name': ACCESS.roleName,
    'k2hr3-role-tenant': ACCESS.tenant,
    'k2hr3-cuk': 'instance-1',
    'k2hr3-cuk-param': 'cuk=instance-1',
    'k2hr3-extra-param': 'extra=openstack-auto-v1',
    'k2hr3-tag-param': 'tag=node-1',
    'k2hr3-apiarg': 'cuk=instance-1',
    'k2hr3-api-uri': ACCESS.apiUri,
  });
  expect((await stat(directory)).mode & 0o777).toBe(0o755);
});

it('replaces the values of an earlier registration', async () => {
  const directory = await temporaryDirectory();
  await writeUpstreamFiles(directory, ACCESS, IDENTITY);
  await writeUpstreamFiles(directory, ACCESS, { ...IDENTITY, cuk: 'instance-2' });
  expect(await readFile(path.join(directory, 'k2hr3-apiarg'), 'utf8')).toBe('cuk=instance-2');
});

it('removes all of them and nothing else, also when some or all are gone', async () => {
  const directory = await temporaryDirectory();
  await writeFile(path.join(directory, 'server.ini'), '[GLOBAL]');
  await writeUpstreamFiles(directory, ACCESS, IDENTITY);
  await removeUpstreamFiles(directory);
  expect(await readdir(directory)).toEqual(['server.ini']);
  await removeUpstreamFiles(directory);
  await removeUpstreamFiles(path.join(directory, 'nonexistent'));
});
