import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { nodeName } from '../../src/host/node-name.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

it.each([
  ['the last search domain', 'search a.example b.example\n', 'node1.b.example'],
  ['the domain when there is no search list', 'domain novalocal\n', 'node1.novalocal'],
  ['the search list before the domain', 'search a.example\ndomain novalocal\n', 'node1.a.example'],
  ['the last of several lists', 'search a.example\nsearch b.example\n', 'node1.b.example'],
  ['no dot at the end, and no empty label', 'search .a..example.\n', 'node1.a.example'],
  ['nothing of a comment', '#search a.example\nnameserver 192.0.2.1\n', 'node1'],
  ['nothing of the root domain', 'search .\n', 'node1'],
  ['nothing of an empty list', 'search\n', 'node1'],
  ['nothing of another word', 'searching a.example\n', 'node1'],
  [
    'the list among other lines',
    '\tnameserver ::1\r\n  search \t a.example\r\n',
    'node1.a.example',
  ],
])('takes %s', async (_, resolvConf, name) => {
  const file = path.join(await temporaryDirectory(), 'resolv.conf');
  await writeFile(file, resolvConf);
  await expect(nodeName('node1', file)).resolves.toBe(name);
});

it('is the host name when that has a domain already', async () => {
  const file = path.join(await temporaryDirectory(), 'resolv.conf');
  await writeFile(file, 'search a.example\n');
  await expect(nodeName('node1.novalocal', file)).resolves.toBe('node1.novalocal');
  await expect(nodeName('node1.novalocal.', file)).resolves.toBe('node1.novalocal');
  await expect(nodeName('node1.', file)).resolves.toBe('node1.a.example');
});

it('is the host name when there is no resolv.conf', async () => {
  await expect(nodeName('node1', '/nonexistent/resolv.conf')).resolves.toBe('node1');
});
