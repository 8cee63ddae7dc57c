// cloud-init found no metadata at a boot, or none with an id: what it writes is the same on every such VM.
// Two of them in one role would be one entry, and every agent would refuse the role.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readInstanceId } from '../../src/app/node/instance-id.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

async function fileWith(text: string): Promise<string> {
  const file = path.join(await temporaryDirectory(), 'instance-id');
  await writeFile(file, text);
  return file;
}

describe.each([
  ['no data source', 'iid-datasource-none'],
  ['a data source without an id', 'iid-datasource'],
  ['NoCloud without an id', 'nocloud'],
  ['NoCloud with an empty id', 'None'],
  ['an id of JSON', 'null'],
  ['a config drive without an id', 'iid-dsconfigdrive'],
  ['OpenStack without an id', 'iid-dsopenstack'],
  ['OpenNebula', 'iid-dsopennebula'],
  ['OVF', 'iid-dsovf'],
  ['WSL', 'iid-datasource-wsl'],
  ['Azure', 'iid-AZURE-NODE'],
  ['AltCloud', '455'],
  ['an example of the documentation', 'iid-local01'],
  ['an example of the documentation', 'someid/somehostname'],
])('%s: %s', (_, id) => {
  it('is refused with the reason, and may be another one later', async () => {
    const file = await fileWith(`${id}\n`);
    await expect(readInstanceId(file)).rejects.toMatchObject({
      retryable: true,
      message: `${file} holds ${id}, which cloud-init gives to every VM without metadata: have the metadata service answer and run "cloud-init clean --reboot", or name another file as paths.instance_id_file`,
    });
    await writeFile(file, '5e0c2d0a-6a2c-4d0e-9a54-1d5d7b1f2f10\n');
    await expect(readInstanceId(file)).resolves.toBe('5e0c2d0a-6a2c-4d0e-9a54-1d5d7b1f2f10');
  });

  it('changes nothing for a VM that is registered', async () => {
    await expect(readInstanceId(await fileWith(`${id}\n`), 'i-0000002a')).resolves.toBe(
      'i-0000002a',
    );
  });
});

it('an empty file changes nothing for a VM that is registered', async () => {
  await expect(readInstanceId(await fileWith(''), 'i-0000002a')).resolves.toBe('i-0000002a');
});

it.each(['i-0000002a', 'nocloud-7', '4550', '5e0c2d0a-6a2c-4d0e-9a54-1d5d7b1f2f10'])(
  '%s is an id, and goes before that of the registration',
  async (id) => {
    await expect(readInstanceId(await fileWith(`${id}\n`), 'older')).resolves.toBe(id);
  },
);
