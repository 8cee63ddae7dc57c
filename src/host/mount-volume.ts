import { lstat, stat } from 'node:fs/promises';
import path from 'node:path';
import { AgentError } from '../base/errors.ts';
import { isMountPoint } from './mounts.ts';
import { makeSharedDirectory } from './shared-directory.ts';

/** A block device with a file system, and where it belongs. */
export interface Volume {
  device: string;
  mountPoint: string;
  /** Of its file system: the device can have another name after a boot. Null: not known yet. */
  uuid: string | null;
}

/** Runs a tool to its end; rejects only when it cannot be started. */
export type RunTool = (
  command: string,
  args: readonly string[],
) => Promise<{ exitCode: number; stdout: string; stderr: string }>;

/** What Trove may mean by volume_fstype. */
export const FILE_SYSTEMS = ['ext3', 'ext4', 'xfs'] as const;

/** How a volume is made and mounted (docs/contracts/guest.md, 1). */
export interface VolumeOptions {
  /** Of a volume that is empty; another one is taken as it is. */
  fileSystem: (typeof FILE_SYSTEMS)[number];
  /** For mkfs of it. */
  formatOptions: readonly string[];
  /** For `mount -o`. */
  mountOptions: string;
}

/** As Trove's own agent does it when nothing else is said. */
export const DEFAULT_VOLUME_OPTIONS: VolumeOptions = {
  fileSystem: 'ext4',
  formatOptions: ['-m', '5'],
  mountOptions: 'defaults,noatime',
};

/** How a volume is mounted. */
export interface MountOptions extends VolumeOptions {
  /** A device on which nothing at all is found gets a file system. */
  mayFormat: boolean;
  run: RunTool;
  /** Default: the mounts that this process sees. */
  mountTable?: string;
  /** Default: isBlockDevice. */
  isDevice?: (file: string) => Promise<boolean>;
}

/**
 * Mounts a volume where it belongs, unless something is mounted there already. Repeatable at any
 * point. What a tool says of its success counts for nothing: the device is looked at again, and so
 * is the table of mounts.
 *
 * @returns the UUID of its file system, when it is known.
 * @throws AgentError, in one line with the device, why, and what to do. A device that holds
 *   anything, or that may do so, is never written to.
 */
export async function mountVolume(volume: Volume, options: MountOptions): Promise<string | null> {
  const { mountPoint } = volume;
  const { run, mountTable, mountOptions } = options;
  if (await isMountPoint(mountPoint, mountTable)) return volume.uuid;
  const { device, uuid } = await deviceWithFileSystem(volume, options);
  await refuseLinks(mountPoint);
  await makeSharedDirectory(mountPoint);
  await refuseLinks(mountPoint); // once more: what was not there yet could be made by somebody else
  const { stderr } = await run('mount', ['-o', mountOptions, device, mountPoint]);
  if (await isMountPoint(mountPoint, mountTable)) return uuid;
  throw failed(
    `${device} could not be mounted at ${mountPoint}: ${lastLine(stderr)}; try: mount ${device} ${mountPoint}`,
  );
}

/**
 * `mount` and `mkdir` follow links, and a folder on the way can be the programs' own user's. Only links
 * above the mount point that root has made are followed.
 */
async function refuseLinks(mountPoint: string): Promise<void> {
  for (let file = mountPoint; file !== path.dirname(file); file = path.dirname(file)) {
    const found = await lstat(file).catch(() => null);
    if (!found?.isSymbolicLink()) continue;
    if (file !== mountPoint && found.uid === process.getuid?.()) continue;
    throw failed(`${file} is a link, on which nothing is mounted: put a folder in its place`);
  }
}

/** Whether a file is a block device; not when it is missing. */
export async function isBlockDevice(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isBlockDevice(),
    () => false,
  );
}

async function deviceWithFileSystem(
  volume: Volume,
  options: MountOptions,
): Promise<{ device: string; uuid: string | null }> {
  const { run, mayFormat, fileSystem, formatOptions } = options;
  const device = await findDevice(volume, options);
  const content = await probe(device, run);
  if (content) return { device, uuid: fileSystemOf(device, content) };
  if (!mayFormat || volume.uuid !== null) {
    throw failed(
      `${device} holds no file system, and a volume that had one is never formatted; restore it, or attach the right volume`,
    );
  }
  const { stderr } = await run(`mkfs.${fileSystem}`, ['-q', ...formatOptions, device]);
  const made = await probe(device, run);
  if (made?.get('TYPE') !== fileSystem) {
    throw failed(`${device} could not be formatted: ${lastLine(stderr)}`);
  }
  return { device, uuid: fileSystemOf(device, made) };
}

/** The device with the file system that is known; else the one that was named. */
async function findDevice(
  { device, uuid }: Volume,
  { run, isDevice = isBlockDevice }: MountOptions,
): Promise<string> {
  const isThere = await isDevice(device);
  if (uuid === null) {
    if (isThere) return device;
    throw failed(`${device} is not there: attach the volume, or look for it with lsblk`);
  }
  if (isThere && (await probe(device, run))?.get('UUID') === uuid) return device;
  const found = (await run('blkid', ['-U', uuid])).stdout.trim();
  if (found !== '' && (await probe(found, run))?.get('UUID') === uuid) return found;
  throw failed(
    `the volume with the file system ${uuid}, once ${device}, is not there: attach it, or look for it with lsblk -f`,
  );
}

/**
 * What is on a device, as blkid names it; null when it finds nothing. It has exit code 2 for that,
 * but also for a device that it cannot read, of which it then complains.
 */
async function probe(device: string, run: RunTool): Promise<ReadonlyMap<string, string> | null> {
  const { exitCode, stdout, stderr } = await run('blkid', ['-p', '-o', 'export', device]);
  const lines = stdout.split('\n').filter((line) => line.includes('='));
  const content = new Map(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  content.delete('DEVNAME');
  if (content.size > 0 && exitCode === 0) return content;
  if (exitCode === 2 && stdout.trim() === '' && stderr.trim() === '') return null;
  throw failed(
    `it cannot be told what ${device} holds: ${lastLine(stderr)} (exit code ${exitCode}); look with: blkid -p ${device}`,
  );
}

function fileSystemOf(device: string, content: ReadonlyMap<string, string>): string | null {
  if (content.get('USAGE') === 'filesystem') return content.get('UUID') ?? null;
  const what = content.get('TYPE') ?? content.get('PTTYPE') ?? 'something else';
  throw failed(
    `${device} holds no file system but ${what}: it is left alone; attach an empty volume, or wipe it yourself`,
  );
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 300) || 'the tool gave no reason';
}

function failed(text: string): AgentError {
  return new AgentError(text, { retryable: true });
}
