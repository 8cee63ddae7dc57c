// The template of the guest image, for the Packer of this machine.
import { execFileSync } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

const root = path.dirname(import.meta.dirname);

/** Packer, which asks nobody for a newer version of itself. */
export const packerEnvironment = { ...process.env, CHECKPOINT_DISABLE: '1' };

/**
 * Copies packer/ into a folder, without the block of plugins where Packer has them built in and refuses it (before
 * 1.7). Resolves with the copy.
 */
export async function packerTemplate(folder) {
  const version = execFileSync('packer', ['version'], { encoding: 'utf8', env: packerEnvironment });
  const copy = path.join(folder, 'packer');
  await cp(path.join(root, 'packer'), copy, { recursive: true });
  const [, minor = '0'] = /v1\.(\d+)\./.exec(version) ?? [];
  if (Number(minor) < 7) await rm(path.join(copy, 'plugins.pkr.hcl'));
  return copy;
}
