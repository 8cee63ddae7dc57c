import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';

/** What of cloud-init's user data the examples of this project use. */
interface CloudConfig {
  write_files?: { path: string; owner?: string; permissions?: string; content: string }[];
  runcmd?: string[][];
}

/**
 * Does what cloud-init does with user data: writes its files, and gives the commands that it would
 * run then. `place` says where a file of the VM is here. Throws for anything else in it.
 */
export async function applyUserData(
  text: string,
  place: (file: string) => string,
): Promise<string[][]> {
  const [first] = text.split('\n', 1);
  if (first !== '#cloud-config') throw new Error(`cloud-init does not know "${first ?? ''}"`);
  const { write_files: files = [], runcmd = [], ...rest } = parse(text) as CloudConfig;
  const unknown = Object.keys(rest);
  if (unknown.length > 0) throw new Error(`not played here: ${unknown.join(', ')}`);
  for (const { path: file, permissions = '0644', content } of files) {
    const here = place(file);
    await mkdir(path.dirname(here), { recursive: true });
    await writeFile(here, content);
    await chmod(here, Number.parseInt(permissions, 8));
  }
  return runcmd;
}
