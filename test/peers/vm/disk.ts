import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * What a VM keeps over a reboot. Everything else that is written in it goes to memory: /tmp and
 * /run are empty at every boot, and the rest is again as the host has it.
 */
export const DISK_DIRECTORIES = [
  '/etc/antpickax',
  '/etc/k2hdkc-guest-agent',
  '/etc/trove',
  '/opt/trove-guestagent',
  '/root',
  '/var/lib/antpickax',
  '/var/lib/cloud',
  '/var/lib/k2hdkc-guest-agent',
  '/var/log',
];
export const DISK_FILES = ['/etc/hostname', '/etc/hosts', '/etc/machine-id', '/etc/resolv.conf'];

/** What is written on a new disk. */
export interface DiskContent {
  hostName: string;
  /** Lines of /etc/hosts beyond localhost. */
  hosts: string[];
  /** The Nova id, in cloud-init's file. */
  instanceId: string;
}

/** Makes the disk of a new VM: a folder with the directories and files above. */
export async function makeDisk(disk: string, content: DiskContent): Promise<void> {
  for (const directory of DISK_DIRECTORIES) {
    await mkdir(path.join(disk, directory), { recursive: true });
  }
  for (const directory of ['/etc/trove/conf.d', '/var/lib/cloud/data']) {
    await mkdir(path.join(disk, directory));
  }
  const files: Record<string, string> = {
    '/etc/hostname': `${content.hostName}\n`,
    '/etc/hosts': ['127.0.0.1 localhost', ...content.hosts].map((line) => `${line}\n`).join(''),
    '/etc/machine-id': `${randomUUID().replaceAll('-', '')}\n`,
    '/etc/resolv.conf': '', // no name server: an unknown name is unknown at once
    '/var/lib/cloud/data/instance-id': `${content.instanceId}\n`,
  };
  for (const [file, text] of Object.entries(files)) await writeFile(path.join(disk, file), text);
}

/** Adds a name to a disk's /etc/hosts, in place: a VM that runs sees it at once. */
export async function addHost(disk: string, line: string): Promise<void> {
  await appendFile(path.join(disk, '/etc/hosts'), `${line}\n`);
}

/** Whether a path of a VM is on its disk. */
export function isOnDisk(file: string): boolean {
  const below = (directory: string): boolean =>
    file === directory || file.startsWith(`${directory}/`);
  return DISK_FILES.includes(file) || DISK_DIRECTORIES.some(below);
}
