// Builds a .deb twice, each in a folder and an environment of its own, and compares the two.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** What may differ between two machines that build, and must change nothing. */
const ENVIRONMENTS = [
  { TZ: 'UTC', LC_ALL: 'C.UTF-8', umask: 0o022 },
  { TZ: 'Pacific/Chatham', LC_ALL: 'C', umask: 0o077 },
];

/**
 * Builds a package and puts it into `out`; returns its file name.
 * `source(folder)` writes the source tree. `compression` is what dpkg-deb is told of it.
 * Throws when two builds differ, or with the last lines of a build that fails.
 */
export async function buildTwice({ name, version, architecture, source, compression, out }) {
  const file = `${name}_${version}_${architecture}.deb`;
  const work = await mkdtemp(path.join(tmpdir(), 'k2hdkc-package-'));
  try {
    const built = [];
    for (const [n, environment] of ENVIRONMENTS.entries()) {
      const parent = path.join(work, 'build'.repeat(n + 1));
      await buildOnce(path.join(parent, `${name}-${version}`), environment, {
        architecture,
        source,
        compression,
      });
      built.push(path.join(parent, file));
    }
    const [first, second] = await Promise.all(built.map((one) => readFile(one)));
    if (!first.equals(second)) {
      throw new Error(`two builds of ${file} differ: compare ${built.join(' and ')} by diffoscope`);
    }
    await mkdir(out, { recursive: true });
    await writeFile(path.join(out, `${file}.new`), first);
    await rename(path.join(out, `${file}.new`), path.join(out, file));
    await rm(work, { recursive: true });
    return file;
  } catch (error) {
    process.stderr.write(`package: ${work} is kept to look at\n`);
    throw error;
  }
}

async function buildOnce(folder, { umask, ...environment }, { architecture, source, compression }) {
  const before = process.umask(umask);
  try {
    await mkdir(folder, { recursive: true });
    await source(folder);
    const wanted = architecture === 'all' ? [] : ['--host-arch', architecture];
    // The compiler is missed by nobody: nothing is compiled.
    const how = ['--build=binary', '--no-sign', '--no-pre-clean', ...wanted];
    const checks = architecture === 'all' ? [] : ['--no-check-builddeps'];
    run('dpkg-buildpackage', [...how, ...checks], {
      cwd: folder,
      env: { ...process.env, ...environment, COMPRESSION: compression },
    });
  } finally {
    process.umask(before);
  }
}

/** Throws what lintian says of the packages that no override explains. */
export function lintian(files) {
  // The lintian of Debian 12 does not know zstd, which its dpkg reads.
  const but = ['--suppress-tags', 'malformed-deb-archive'];
  run('lintian', ['--allow-root', '--fail-on', 'error,warning,info', '-I', ...but, ...files]);
}

/** Runs a program; throws its last lines when it fails. */
function run(command, words, options = {}) {
  try {
    return execFileSync(command, words, { encoding: 'utf8', stdio: 'pipe', ...options });
  } catch (error) {
    const lines = `${error.stdout ?? ''}${error.stderr ?? ''}`.trim().split('\n').slice(-30);
    throw new Error(`${command} ${words.join(' ')} failed:\n${lines.join('\n')}`, { cause: error });
  }
}
