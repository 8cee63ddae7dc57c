import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** What Nova knows of a VM. */
export interface ConfigDrive {
  /** Nova's id, which cloud-init writes as the instance id. */
  uuid: string;
  hostname: string;
  /** What Trove injects: text by absolute path. */
  files: Record<string, string>;
  userData: string;
}

/** Writes a config drive as Nova makes it, an ISO 9660 file system called config-2, into `file`. */
export async function writeConfigDrive(file: string, drive: ConfigDrive): Promise<void> {
  const work = await mkdtemp(`${file}-`);
  const latest = path.join(work, 'openstack/latest');
  const content = path.join(work, 'openstack/content');
  for (const folder of [latest, content]) await mkdir(folder, { recursive: true });
  const files: { content_path: string; path: string }[] = [];
  for (const [index, [name, text]] of Object.entries(drive.files).entries()) {
    const number = String(index).padStart(4, '0');
    await writeFile(path.join(content, number), text);
    files.push({ content_path: `/content/${number}`, path: name });
  }
  const { uuid, hostname, userData } = drive;
  const metaData = { uuid, hostname, name: hostname, files };
  await writeFile(path.join(latest, 'meta_data.json'), JSON.stringify(metaData));
  await writeFile(path.join(latest, 'user_data'), userData);
  const words = ['-quiet', '-output', file, '-volid', 'config-2', '-joliet', '-rock', work];
  await promisify(execFile)('genisoimage', words);
  await rm(work, { recursive: true });
}
