import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_VOLUME_OPTIONS,
  mountVolume,
  type RunTool,
  type Volume,
  type VolumeOptions,
} from '../../src/host/mount-volume.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

/** What blkid was seen to say. */
const ANSWERS = {
  nothing: { exitCode: 2, stdout: '', stderr: '' },
  ext4: {
    exitCode: 0,
    stdout: 'DEVNAME=/dev/x\nUUID=u-1\nTYPE=ext4\nUSAGE=filesystem\n',
    stderr: '',
  },
  xfs: { exitCode: 0, stdout: 'UUID=u-2\nTYPE=xfs\nUSAGE=filesystem\n', stderr: '' },
  partitions: { exitCode: 0, stdout: 'DEVNAME=/dev/x\nPTUUID=p\nPTTYPE=gpt\n', stderr: '' },
  lvm: { exitCode: 0, stdout: 'UUID=u-3\nTYPE=LVM2_member\nUSAGE=raid\n', stderr: '' },
  luks: { exitCode: 0, stdout: 'UUID=u-4\nTYPE=crypto_LUKS\nUSAGE=crypto\n', stderr: '' },
  unreadable: { exitCode: 2, stdout: '', stderr: 'blkid: error: /dev/x: Input/output error\n' },
  moved: { exitCode: 0, stdout: '/dev/y\n', stderr: '' },
  ambivalent: { exitCode: 8, stdout: '', stderr: '' },
  silent: { exitCode: 0, stdout: '', stderr: '' },
  device: { exitCode: 0, stdout: 'DEVNAME=/dev/x\n', stderr: '' },
};
const DONE = { exitCode: 0, stdout: '', stderr: '' };

/**
 * Tools on a bench: what blkid answers in turn (the last again and again), and whether mkfs and mount
 * do what they are told. Their exit code is 0 either way.
 */
async function bench(
  blkid: (keyof typeof ANSWERS)[],
  {
    mounts = true,
    complaint = '',
    how = DEFAULT_VOLUME_OPTIONS,
  }: { mounts?: boolean; complaint?: string; how?: VolumeOptions } = {},
) {
  const directory = await temporaryDirectory();
  const mountPoint = path.join(directory, 'data');
  const mountTable = path.join(directory, 'mounts');
  await writeFile(mountTable, '');
  const calls: string[] = [];
  const answers = [...blkid];
  const run: RunTool = async (command, args) => {
    calls.push([command, ...args].join(' '));
    if (command === 'blkid') {
      const name = answers.length > 1 ? answers.shift() : answers[0];
      return ANSWERS[name ?? 'nothing'];
    }
    if (command === 'mount' && mounts)
      await writeFile(mountTable, `/dev/x ${mountPoint} ext4 rw 0 0\n`);
    return { ...DONE, stderr: complaint };
  };
  const mount = (volume: Partial<Volume> = {}, mayFormat = true): Promise<string | null> =>
    mountVolume(
      { device: '/dev/x', mountPoint, uuid: null, ...volume },
      {
        mayFormat,
        run,
        mountTable,
        ...how,
        isDevice: (file) => Promise.resolve(file === '/dev/x'),
      },
    );
  const written = (): string[] => calls.filter((call) => /^(mkfs|mount)/.test(call));
  return { mount, calls, written, mountPoint };
}

describe('a volume', () => {
  it('that is empty is formatted and mounted', async () => {
    const { mount, written, mountPoint } = await bench(['nothing', 'ext4']);
    expect(await mount()).toBe('u-1');
    expect(written()).toEqual([
      'mkfs.ext4 -q -m 5 /dev/x',
      `mount -o defaults,noatime /dev/x ${mountPoint}`,
    ]);
  });

  it('that is empty gets the file system that Trove names, and its options', async () => {
    const how: VolumeOptions = {
      fileSystem: 'xfs',
      formatOptions: ['-L', 'data'],
      mountOptions: 'noatime,nodiratime',
    };
    const { mount, written, mountPoint } = await bench(['nothing', 'xfs'], { how });
    expect(await mount()).toBe('u-2');
    expect(written()).toEqual([
      'mkfs.xfs -q -L data /dev/x',
      `mount -o noatime,nodiratime /dev/x ${mountPoint}`,
    ]);
  });

  it.each(['ext4', 'xfs'] as const)('that holds %s is mounted as it is', async (content) => {
    const { mount, written, mountPoint } = await bench([content]);
    expect(await mount()).toBe(content === 'ext4' ? 'u-1' : 'u-2');
    expect(written()).toEqual([`mount -o defaults,noatime /dev/x ${mountPoint}`]);
  });

  it('that is mounted already is left alone', async () => {
    const { mount, calls } = await bench(['ext4']);
    await mount();
    const before = calls.length;
    expect(await mount({ uuid: 'u-1' })).toBe('u-1');
    expect(calls).toHaveLength(before);
  });

  it('that has another name after a boot is found by its file system', async () => {
    const { mount, calls, mountPoint } = await bench(['xfs', 'moved', 'ext4']);
    await expect(mount({ uuid: 'u-1' }, false)).resolves.toBe('u-1');
    expect(calls).toContain('blkid -U u-1');
    expect(calls.at(-1)).toBe(`mount -o defaults,noatime /dev/y ${mountPoint}`);
  });
});

describe('a volume is never written to', () => {
  it.each<[keyof typeof ANSWERS, string]>([
    ['partitions', 'holds no file system but gpt: it is left alone'],
    ['lvm', 'holds no file system but LVM2_member'],
    ['luks', 'holds no file system but crypto_LUKS'],
    ['unreadable', 'Input/output error (exit code 2); look with: blkid -p /dev/x'],
    ['ambivalent', 'it cannot be told what /dev/x holds'],
    ['silent', 'it cannot be told what /dev/x holds'],
    ['device', 'it cannot be told what /dev/x holds'],
  ])('when blkid says: %s', async (content, message) => {
    const { mount, written } = await bench([content]);
    await expect(mount()).rejects.toThrow(message);
    expect(written()).toEqual([]);
  });

  it('when it should hold a file system and is empty', async () => {
    const { mount, written } = await bench(['nothing']);
    await expect(mount({}, false)).rejects.toThrow(
      'holds no file system, and a volume that had one',
    );
    await expect(mount({ uuid: 'u-1' })).rejects.toThrow('is not there: attach it');
    expect(written()).toEqual([]);
  });

  it('when it is not there', async () => {
    const { mount, calls } = await bench(['ext4']);
    await expect(mount({ device: '/dev/z' })).rejects.toThrow(
      '/dev/z is not there: attach the volume',
    );
    expect(calls).toEqual([]);
  });
});

describe('tools that fail with exit code 0 are not believed', () => {
  it('mkfs', async () => {
    const { mount } = await bench(['nothing', 'nothing'], { complaint: 'mkfs: No space\n' });
    await expect(mount()).rejects.toThrow('/dev/x could not be formatted: mkfs: No space');
  });

  it('mount', async () => {
    const { mount, mountPoint } = await bench(['ext4'], { mounts: false });
    await expect(mount()).rejects.toThrow(
      `/dev/x could not be mounted at ${mountPoint}: the tool gave no reason; try: mount /dev/x`,
    );
  });
});
