import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../helpers/project-root.ts';
import type { Actor } from '../story/stage.ts';

const run = promisify(execFile);
/** Where the stand-ins are in the image. */
export const STAND_INS = '/opt/antpickax';
export const CONFIGURATION = 'etc/k2hdkc-guest-agent/agent.yaml';

/** Files of `npm run package`, built for this test with little compression. */
export interface Packages {
  agent: string;
  runtime: string;
}

/** The same for Fedora and RHEL. */
export interface RpmPackages {
  agentRpm: string;
  runtimeRpm: string;
}

/** Builds the packages for this machine into a folder. */
export async function buildPackages(folder: string): Promise<Packages & RpmPackages> {
  const script = path.join(projectRoot, 'scripts/package.mjs');
  const { stdout } = await run('dpkg', ['--print-architecture']);
  const architecture = stdout.trim();
  const what = ['--architectures', architecture, '--out', folder];
  await run(process.execPath, [script, '--fast', ...what]);
  const names = await readdir(folder);
  const find = (ending: string): string =>
    path.join(folder, names.find((name) => name.endsWith(ending)) ?? ending);
  return {
    agent: find('_all.deb'),
    runtime: find(`_${architecture}.deb`),
    agentRpm: find('.noarch.rpm'),
    runtimeRpm: find(architecture === 'amd64' ? '.x86_64.rpm' : '.aarch64.rpm'),
  };
}

/** Writes a minimal Debian into `root`, which is all that an image has before the packages. */
export async function minimalDebian(root: string): Promise<void> {
  const { stdout } = await run(path.join(projectRoot, 'scripts/debian-root'), []);
  await mkdir(root);
  // Devices are nspawn's business.
  await run('tar', ['-x', '--exclude=./dev/*', '-C', root, '-f', stdout.trim()]);
}

/** What a command prints in the root directory, which is not booted. */
export async function inRoot(root: string, command: string, ...words: string[]): Promise<string> {
  const environment = ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8'];
  const { stdout } = await run('chroot', [root, ...environment, command, ...words]);
  return stdout.trim();
}

/** Puts in what other packages, cloud-init and Trove put onto a VM. */
export async function furnish(root: string, actor: Actor, standIns: string): Promise<void> {
  const file = (name: string): string => path.join(root, name);
  await cp(standIns, file(STAND_INS), { recursive: true });
  await mkdir(file('etc/trove'), { recursive: true });
  await cp(actor.vm.path('conf.d'), file('etc/trove/conf.d'), { recursive: true });
  await mkdir(file('var/lib/cloud/data'), { recursive: true });
  await cp(actor.vm.path('instance-id'), file('var/lib/cloud/data/instance-id'));
  await symlink('/lib/systemd/system/multi-user.target', file('etc/systemd/system/default.target'));
  // The stand-ins are scripts of a Node.js: there is only the one that was installed.
  const paths = `${STAND_INS}:/usr/lib/k2hdkc-guest-agent-runtime/bin:/usr/sbin:/usr/bin`;
  await mkdir(file('etc/systemd/system.conf.d'));
  await writeFile(
    file('etc/systemd/system.conf.d/paths.conf'),
    `[Manager]\nDefaultEnvironment=PATH=${paths}\n`,
  );
}

/** Makes the package of another version, whose agent.yaml is another one too; returns its file. */
export async function otherVersion(deb: string, version: string, folder: string): Promise<string> {
  const work = path.join(folder, `${path.basename(deb)}-${version}`);
  await run('dpkg-deb', ['--raw-extract', deb, work]);
  const control = path.join(work, 'DEBIAN/control');
  const text = await readFile(control, 'utf8');
  await writeFile(control, text.replace(/^Version: .*/m, `Version: ${version}`));
  const configuration = path.join(work, CONFIGURATION);
  const before = await readFile(configuration, 'utf8').catch(() => null);
  if (before !== null) await writeFile(configuration, `${before}# of ${version}\n`);
  const file = `${work}.deb`;
  await run('dpkg-deb', ['-Zzstd', '-z1', '--root-owner-group', '--build', work, file]);
  return file;
}
