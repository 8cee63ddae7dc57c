import { existsSync } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { StartSite } from '../../../src/node/programs/start-site.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { iniOf, set, type Edit } from '../../ini/roles.ts';

/** A VM whose ini is that of a role after `edit`, with the data below `data`. */
async function vm(edit: (data: string) => Edit = () => (text) => text) {
  const directory = await temporaryDirectory();
  const [iniFile, shared, data] = ['x.ini', 'shared', 'data'].map((name) =>
    path.join(directory, name),
  ) as [string, string, string];
  await writeFile(iniFile, iniOf(edit(data)).text);
  const { log, lines } = recordingLog();
  const site = new StartSite({
    iniFile,
    sharedDirectory: shared,
    user: null,
    log,
    controlHost: '127.0.0.1',
    inheritsLimits: false,
    dataFolders: () => ({ all: [data], own: [data] }),
  });
  return { site, iniFile, shared, data, lines };
}
const inFile = (data: string): Edit => set('K2HFILE', `${data}/of/k2hdkc.k2h`);

describe('before chmpx starts', () => {
  it('its directory is made, and entered by everybody', async () => {
    const { site, shared, lines } = await vm(inFile);
    await site.prepareChmpx();
    expect((await stat(shared)).mode & 0o777).toBe(0o755);
    expect(lines).toEqual([]);
  });

  it('leftovers of this node are removed, and named in the log; nothing else is', async () => {
    const { site, shared, lines } = await vm(inFile);
    await mkdir(shared);
    const own = ['mycluster-8021.chmpx', 'mycluster-8021.k2h'];
    const others = ['mycluster-8031.chmpx', 'mycluster-8021.chmpx.txt', 'k2hdkc.k2h'];
    for (const name of [...own, ...others]) await writeFile(path.join(shared, name), '');
    await site.prepareChmpx();
    expect((await readdir(shared)).sort()).toEqual(others.sort());
    expect((lines[0]?.['removed'] as string[]).sort()).toEqual(own);
  });
});

describe('before k2hdkc starts', () => {
  it('the folder of its data is made and told', async () => {
    const { site, data } = await vm(inFile);
    expect(await site.prepareK2hdkc()).toBe(path.join(data, 'of'));
    expect((await stat(path.join(data, 'of'))).mode & 0o777).toBe(0o755);
  });

  it('nothing is made for data in memory', async () => {
    const { site, data } = await vm((at) => (text) => set('K2HTYPE', 'mem')(inFile(at)(text)));
    expect(await site.prepareK2hdkc()).toBeUndefined();
    expect(existsSync(data)).toBe(false);
  });
});

it('an ini that somebody has spoilt is named, and can be right the next time', async () => {
  const { site, iniFile } = await vm();
  await writeFile(iniFile, '[GLOBAL]\nGROUP =');
  for (const prepare of [() => site.prepareChmpx(), () => site.prepareK2hdkc()]) {
    await expect(prepare()).rejects.toMatchObject({
      message: expect.stringMatching(/x\.ini is not as written: \S/) as string,
      retryable: true,
    });
  }
});
