import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../helpers/project-root.ts';
import type { Actor } from '../story/stage.ts';

const run = promisify(execFile);
/** The programs of a package of the stand-ins; the first one brings the files of all. */
const STAND_IN_PACKAGES = {
  chmpx: ['chmpx', 'chmpxstatus', 'chmpxlinetool'],
  k2hdkc: ['k2hdkc', 'k2hdkclinetool'],
  k2hash: ['k2hlinetool'],
};
/** Where they are in the image. */
const STAND_INS = '/opt/antpickax';
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

/** Makes packages of the stand-ins, whose folder is `standIns`, in `folder`; returns their files. */
export async function standInPackages(folder: string, standIns: string): Promise<string[]> {
  const files: string[] = [];
  for (const [name, programs] of Object.entries(STAND_IN_PACKAGES)) {
    const work = path.join(folder, name);
    const file = (below: string): string => path.join(work, below);
    await mkdir(file('DEBIAN'), { recursive: true });
    await mkdir(file('usr/bin'), { recursive: true });
    const control = ['Version: 1', 'Architecture: all', 'Maintainer: nobody <nobody@example.org>'];
    const depends = name === 'chmpx' ? [] : ['Depends: chmpx'];
    const lines = [`Package: ${name}`, ...control, ...depends, 'Description: stand-in'];
    await writeFile(file('DEBIAN/control'), `${lines.join('\n')}\n`);
    if (name === 'chmpx') await cp(standIns, file(STAND_INS), { recursive: true });
    for (const one of programs) {
      // The tools look for their parts beside them, and are gone before anybody asks which file they are.
      const text = `#!/bin/sh\nexec ${STAND_INS}/${one} "$@"\n`;
      if (one in STAND_IN_PACKAGES) await symlink(`${STAND_INS}/${one}`, file(`usr/bin/${one}`));
      else await writeFile(file(`usr/bin/${one}`), text, { mode: 0o755 });
    }
    await buildDeb(work, `${work}.deb`);
    files.push(`${work}.deb`);
  }
  return files;
}

/** Writes what cloud-init and Trove put onto a VM. */
export async function furnish(root: string, actor: Actor): Promise<void> {
  const file = (name: string): string => path.join(root, name);
  await mkdir(file('etc/trove'), { recursive: true });
  await cp(actor.vm.path('conf.d'), file('etc/trove/conf.d'), { recursive: true });
  await mkdir(file('var/lib/cloud/data'), { recursive: true });
  await cp(actor.vm.path('instance-id'), file('var/lib/cloud/data/instance-id'));
  await symlink('/lib/systemd/system/multi-user.target', file('etc/systemd/system/default.target'));
  // The stand-ins are scripts of a Node.js: there is only the one that was installed.
  await mkdir(file('etc/systemd/system.conf.d'));
  await writeFile(
    file('etc/systemd/system.conf.d/paths.conf'),
    '[Manager]\nDefaultEnvironment=PATH=/usr/lib/k2hdkc-guest-agent-runtime/bin:/usr/sbin:/usr/bin\n',
  );
}

async function buildDeb(folder: string, file: string): Promise<void> {
  await run('dpkg-deb', ['-Zzstd', '-z1', '--root-owner-group', '--build', folder, file]);
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
  await buildDeb(work, file);
  return file;
}
