import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfigFiles } from '../../src/oslo/config-files.ts';

describe('readConfigFiles', () => {
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'oslo-config-'));
    await mkdir(path.join(dir, 'conf.d'));
    const write = (name: string, text: string): Promise<void> =>
      writeFile(path.join(dir, name), text);
    await write('conf.d/trove-guestagent.conf', '[DEFAULT]\nwho = agent\nonly = agent\n');
    await write('conf.d/guest_info.conf', '[DEFAULT]\nwho = info\n');
    await write('conf.d/.hidden.conf', 'broken');
    await write('conf.d/notes.txt', 'broken');
    await write('base.conf', '[DEFAULT]\nwho = base\nbase = yes\n');
    await write('broken.conf', '[DEFAULT]\nbroken\n');
  });

  afterAll(() => rm(dir, { recursive: true }));

  it('reads every *.conf of a directory, sorted by name, the last winning', async () => {
    const config = await readConfigFiles([{ directory: path.join(dir, 'conf.d') }]);
    expect(config.string('DEFAULT', 'who')).toBe('agent');
    expect(config.where('DEFAULT', 'only')).toBe(`${dir}/conf.d/trove-guestagent.conf:3`);
  });

  it('reads files and directories in the order given', async () => {
    const file = { file: path.join(dir, 'base.conf') };
    const directory = { directory: path.join(dir, 'conf.d') };
    expect((await readConfigFiles([file, directory])).string('DEFAULT', 'who')).toBe('agent');
    const config = await readConfigFiles([directory, file], { OS_DEFAULT__BASE: 'env' });
    expect(config.string('DEFAULT', 'who')).toBe('base');
    expect(config.string('DEFAULT', 'base')).toBe('env');
  });

  it('refuses what is missing or broken in one line', async () => {
    await expect(readConfigFiles([{ file: path.join(dir, 'none') }])).rejects.toThrow(
      `configuration file ${dir}/none: does not exist`,
    );
    await expect(readConfigFiles([{ directory: path.join(dir, 'none') }])).rejects.toThrow(
      `configuration directory ${dir}/none: does not exist`,
    );
    await expect(readConfigFiles([{ file: path.join(dir, 'broken.conf') }])).rejects.toThrow(
      `${dir}/broken.conf:2: neither`,
    );
  });
});
