import {
  chmod,
  chown,
  lchown,
  link,
  lstat,
  mkdir,
  readFile,
  readdir,
  rename,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { clearWorkDirectory, inWorkDirectory } from '../../src/backup/work-directory.ts';
import { messageOf } from '../../src/base/errors.ts';
import { DEFAULT_VOLUME_OPTIONS, mountVolume } from '../../src/host/mount-volume.ts';
import { StartSite } from '../../src/node/programs/start-site.ts';
import { silentLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { iniOf, set } from '../ini/roles.ts';

/** The user of the programs, who owns the folder of the data and may change it at any time. */
const USER = { name: 'k2hdkc', uid: 990, gid: 991 };
const OTHER = 4711;

/** A VM with a folder of that user, and one that only root may enter. */
async function vm() {
  const directory = await temporaryDirectory();
  const at = (name: string): string => path.join(directory, name);
  await mkdir(at('data'));
  await chown(at('data'), USER.uid, USER.gid);
  await mkdir(at('root-only'), { mode: 0o700 });
  await writeFile(at('root-only/secret'), 'of root', { mode: 0o600 });
  const untouched = async (): Promise<void> => {
    expect(await readdir(at('root-only'))).toEqual(['secret']);
    expect(await readFile(at('root-only/secret'), 'utf8')).toBe('of root');
    expect(await lstat(at('root-only'))).toMatchObject({ uid: 0, mode: 0o40_700 });
    expect(await lstat(at('root-only/secret'))).toMatchObject({ uid: 0, mode: 0o100_600 });
  };
  const place = { parent: at('data'), within: [at('data')], name: '.work', user: USER };
  return { at, place, untouched };
}

describe.runIf(process.getuid?.() === 0)('the work directory of a backup', () => {
  it('that is swapped for a link while root works stays the one that it was', async () => {
    const { at, place, untouched } = await vm();
    await inWorkDirectory(place, async ({ directory }) => {
      await rename(at('data/.work'), at('data/moved'));
      await symlink(at('root-only'), at('data/.work'));
      await writeFile(path.join(directory, 'snapshot'), 'x');
      expect(await readdir(at('data/moved'))).toEqual(['desk', 'snapshot']);
    });
    await untouched();
    expect(await readdir(at('data/moved'))).toEqual([]);
  });

  it('in a folder that is swapped for a link stays where it was', async () => {
    const { at, place, untouched } = await vm();
    const within = { ...place, within: [at('')] };
    await inWorkDirectory(within, async ({ directory, parent }) => {
      await rename(at('data'), at('away'));
      await symlink(at('root-only'), at('data'));
      await writeFile(path.join(directory, 'new.k2h'), 'x');
      await rename(path.join(directory, 'new.k2h'), parent.at('k2hdkc.k2h'));
    });
    await untouched();
    expect(await readdir(at('away'))).toEqual(['k2hdkc.k2h']);
  });

  const planted: [
    string,
    (file: string, vm: { at: (name: string) => string }) => Promise<unknown>,
  ][] = [
    ['a link to a folder of root', (file, { at }) => symlink(at('root-only'), file)],
    ['a link to nothing', (file) => symlink('/nowhere', file)],
    ['a file', (file) => writeFile(file, 'x')],
    ['a second name of a file', (file, { at }) => link(at('root-only/secret'), file)],
    ['a folder of that user', (file) => mkdir(file, 0o700).then(() => chown(file, 990, 991))],
    ['a folder of root that others may enter', (file) => mkdir(file, 0o755)],
  ];

  it.each(planted)(
    'whose name has %s is refused by name, and nothing is removed',
    async (_, plant) => {
      const { at, place, untouched } = await vm();
      await plant(at('data/.work'), { at });
      const before = await lstat(at('data/.work'));
      const work = (): Promise<never> => Promise.reject(new Error('it was begun'));
      await expect(inWorkDirectory(place, work)).rejects.toThrow(
        `${at('data/.work')} is not this agent's own`,
      );
      await expect(clearWorkDirectory(place)).rejects.toThrow("is not this agent's own");
      expect((await lstat(at('data/.work'))).ino).toBe(before.ino);
      await untouched();
    },
  );

  it('is not made where the folder of the data leads away', async () => {
    const { at, untouched } = await vm();
    await symlink(at('root-only'), at('data/k2hdkc'));
    const place = {
      parent: at('data/k2hdkc'),
      within: [at('data'), at('data/k2hdkc')],
      name: '.work',
      user: USER,
    };
    await expect(inWorkDirectory(place, () => Promise.resolve())).rejects.toThrow('is not in');
    await untouched();
  });
});

describe.runIf(process.getuid?.() === 0)('the folder and the file of the data', () => {
  async function prepared(file: string, { at }: Awaited<ReturnType<typeof vm>>): Promise<unknown> {
    const iniFile = at('x.ini');
    await writeFile(iniFile, iniOf(set('K2HFILE', at(file))).text);
    const site = new StartSite({
      iniFile,
      sharedDirectory: at('shared'),
      user: USER,
      log: silentLog,
      controlHost: '127.0.0.1',
      inheritsLimits: false,
      dataFolders: () => ({ all: [at('data')], own: [at('data')] }),
    });
    return site.prepareK2hdkc();
  }

  it('that the agent makes are given to the user of the programs', async () => {
    const machine = await vm();
    const { at } = machine;
    await prepared('data/a/b/k2hdkc.k2h', machine);
    expect(await stat(at('data/a/b'))).toMatchObject({
      uid: USER.uid,
      gid: USER.gid,
      mode: 0o40_755,
    });
    await writeFile(at('data/a/b/k2hdkc.k2h'), 'of the time before programs.user was set');
    await prepared('data/a/b/k2hdkc.k2h', machine);
    expect(await stat(at('data/a/b/k2hdkc.k2h'))).toMatchObject({ uid: USER.uid, gid: USER.gid });
  });

  it.each([0, OTHER])(
    'the data directory itself is given, also when user %i has it',
    async (uid) => {
      const machine = await vm();
      await chown(machine.at('data'), uid, uid);
      await prepared('data/k2hdkc.k2h', machine);
      expect(await stat(machine.at('data'))).toMatchObject({ uid: USER.uid });
    },
  );

  it.each([0, OTHER])(
    'a folder that user %i has made is left alone, with the command',
    async (uid) => {
      const machine = await vm();
      const { at } = machine;
      await mkdir(at('data/theirs'));
      await chown(at('data/theirs'), uid, uid);
      await expect(prepared('data/theirs/k2hdkc.k2h', machine)).rejects.toThrow(
        `run chown k2hdkc: ${at('data/theirs')}`,
      );
      expect((await stat(at('data/theirs'))).uid).toBe(uid);
    },
  );

  it("a file of root in a folder that others may write to is root's", async () => {
    const machine = await vm();
    const { at } = machine;
    await mkdir(at('data/theirs'));
    await chmod(at('data/theirs'), 0o777);
    await prepared('data/theirs/k2hdkc.k2h', machine);
    await writeFile(at('data/theirs/k2hdkc.k2h'), 'of root');
    await expect(prepared('data/theirs/k2hdkc.k2h', machine)).rejects.toThrow('run chown k2hdkc:');
    expect((await stat(at('data/theirs/k2hdkc.k2h'))).uid).toBe(0);
    expect((await stat(at('data/theirs'))).uid).toBe(0);
  });

  it.each(['root-only/secret', 'root-only/new/x.k2h', 'data/../root-only/secret'])(
    'an ini with %s, which an older agent took, gives nothing away',
    async (file) => {
      const machine = await vm();
      await expect(prepared(file, machine)).rejects.toThrow('is not in');
      await machine.untouched();
    },
  );

  const files: [
    string,
    (file: string, at: (name: string) => string) => Promise<unknown>,
    RegExp,
  ][] = [
    [
      'a link to a file of root',
      (file, at) => symlink(at('root-only/secret'), file),
      /no file of its own/,
    ],
    [
      'a second name of a file of root',
      (file, at) => link(at('root-only/secret'), file),
      /no file of its own/,
    ],
    ['a folder', (file) => mkdir(file), /no file of its own/],
    [
      "a third user's file",
      (file) => writeFile(file, '').then(() => chown(file, OTHER, OTHER)),
      /belongs to user 4711/,
    ],
  ];

  it.each(files)('a file that is %s is not given', async (_, plant, why) => {
    const machine = await vm();
    const { at } = machine;
    await plant(at('data/k2hdkc.k2h'), at);
    const { uid } = await lstat(at('data/k2hdkc.k2h'));
    await expect(prepared('data/k2hdkc.k2h', machine)).rejects.toThrow(why);
    expect((await lstat(at('data/k2hdkc.k2h'))).uid).toBe(uid);
    expect((await lstat(at('root-only/secret'))).uid).toBe(0);
  });
});

describe('the mount point of the volume', () => {
  async function mounted(plant: (at: (name: string) => string) => Promise<unknown>) {
    const directory = await temporaryDirectory();
    const at = (name: string): string => path.join(directory, name);
    await mkdir(at('shared'));
    await mkdir(at('etc'));
    await plant(at);
    const mountTable = at('mounts');
    await writeFile(mountTable, '');
    const calls: string[] = [];
    const volume = { device: '/dev/x', mountPoint: at('shared/k2hdkc'), uuid: null };
    const mounting = mountVolume(volume, {
      ...DEFAULT_VOLUME_OPTIONS,
      mayFormat: false,
      mountTable,
      isDevice: () => Promise.resolve(true),
      run: async (command, args) => {
        calls.push(command);
        const where = args.at(-1) ?? '';
        if (command === 'mount') await writeFile(mountTable, `/dev/x ${where} ext4 rw 0 0\n`);
        const stdout = command === 'blkid' ? 'UUID=u-1\nTYPE=ext4\nUSAGE=filesystem\n' : '';
        return { exitCode: 0, stdout, stderr: '' };
      },
    });
    return { at, calls, outcome: await mounting.then(() => 'mounted', messageOf) };
  }

  it.each([
    ['is not there yet', () => Promise.resolve()],
    ['is a folder', (at: (name: string) => string) => mkdir(at('shared/k2hdkc'))],
  ])('is mounted on when it %s', async (_, plant) => {
    expect(await mounted(plant)).toMatchObject({ outcome: 'mounted' });
  });

  it('that is a link to another folder is refused before anything is mounted', async () => {
    const { calls, outcome } = await mounted((at) => symlink(at('etc'), at('shared/k2hdkc')));
    expect(outcome).toContain('is a link, on which nothing is mounted');
    expect(calls).not.toContain('mount');
  });

  it('that is a link to a folder beside it is refused too', async () => {
    const { calls } = await mounted(async (at) => {
      await mkdir(at('shared/other'));
      await symlink('other', at('shared/k2hdkc'));
    });
    expect(calls).not.toContain('mount');
  });

  it('that is not there yet, behind a link to nothing, is refused and not made', async () => {
    const { calls, outcome } = await mounted((at) => symlink(at('nowhere'), at('shared/k2hdkc')));
    expect(outcome).toContain('is a link, on which nothing is mounted');
    expect(calls).not.toContain('mount');
  });

  describe.runIf(process.getuid?.() === 0)('below a link', () => {
    const below = (uid: number) => async (at: (name: string) => string) => {
      await rename(at('shared'), at('elsewhere'));
      await symlink(at('elsewhere'), at('shared'));
      await lchown(at('shared'), uid, uid);
    };

    it("of the programs' user is refused, and nothing is made there", async () => {
      const { at, calls, outcome } = await mounted(below(USER.uid));
      expect(outcome).toContain('shared is a link, on which nothing is mounted');
      expect(calls).not.toContain('mount');
      expect(await readdir(at('elsewhere'))).toEqual([]);
    });

    it('of root is mounted on', async () => {
      expect(await mounted(below(0))).toMatchObject({ outcome: 'mounted' });
    });
  });
});
