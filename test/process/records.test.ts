import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { identify, type ProcessIdentity } from '../../src/process/identity.ts';
import { ProcessRecords } from '../../src/process/records.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const BOOT = 'this boot';

/** This process, which lives for as long as the test does. */
function own(): ProcessIdentity {
  const identity = identify(process.pid, BOOT);
  if (!identity) throw new Error('this process is not there');
  return identity;
}

it('reads back the whole record of a process that lives', async () => {
  const records = new ProcessRecords(await temporaryDirectory(), BOOT);
  const record = { identity: own(), generation: 'g1', readAtStart: { ini: 'digest' } };
  await records.write('chmpx', record);
  expect(await records.read('chmpx')).toEqual(record);
  expect(await records.read('k2hdkc')).toBeNull();
});

it('makes its directory, and keeps directory and file to itself', async () => {
  const directory = path.join(await temporaryDirectory(), 'state/programs');
  await new ProcessRecords(directory, BOOT).write('chmpx', { identity: own(), generation: 'g1' });
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect((await stat(path.join(directory, 'chmpx.json'))).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(['chmpx.json']);
});

it.each<[string, Partial<ProcessIdentity>]>([
  ['of an earlier boot', { bootId: 'the boot before' }],
  ['of an earlier process with this PID', { startTicks: '1' }],
  ['of a PID that is not in use', { pid: 2 ** 30 }],
])('gives no record %s', async (_, difference) => {
  const records = new ProcessRecords(await temporaryDirectory(), BOOT);
  await records.write('chmpx', { identity: { ...own(), ...difference }, generation: 'g1' });
  expect(await records.read('chmpx')).toBeNull();
});

it.each(['', '{', 'null', '[]', '{"identity":7}'])('takes %j for no record', async (text) => {
  const directory = await temporaryDirectory();
  await writeFile(path.join(directory, 'chmpx.json'), text);
  expect(await new ProcessRecords(directory, BOOT).read('chmpx')).toBeNull();
});

it('lets a program run whose record cannot be written', async () => {
  const directory = await temporaryDirectory();
  await mkdir(path.join(directory, 'chmpx.json'));
  const records = new ProcessRecords(directory, BOOT);
  await expect(
    records.write('chmpx', { identity: own(), generation: 'g1' }),
  ).resolves.toBeUndefined();
  expect(await records.read('chmpx')).toBeNull();
});
