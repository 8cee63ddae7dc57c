// Builds packages twice, each time in a folder and an environment of its own, and compares the two.
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
/** What rpm calls the architectures of Debian. */
const RPM_ARCHITECTURES = { all: 'noarch', amd64: 'x86_64', arm64: 'aarch64' };

/**
 * Builds a .deb and an .rpm of one source tree and puts them into `out`; returns their file names.
 * `source(folder)` writes the tree and returns when it was last changed (a Date) and what stands between @
 * in the spec. `compression` is a level: `fast` or `small`.
 * Throws when two builds differ, or with the last lines of a build that fails.
 */
export async function buildTwice(what) {
  const { name, version, architecture, out } = what;
  const deb = `${name}_${version}_${architecture}.deb`;
  const rpm = `${name}-${version}-1.${RPM_ARCHITECTURES[architecture]}.rpm`;
  const work = await mkdtemp(path.join(tmpdir(), 'k2hdkc-package-'));
  try {
    const folders = [];
    for (const [n, environment] of ENVIRONMENTS.entries()) {
      const parent = path.join(work, 'build'.repeat(n + 1));
      await buildOnce(parent, environment, what);
      folders.push(parent);
    }
    await mkdir(out, { recursive: true });
    for (const file of [deb, rpm]) await keepEqual(file, folders, out);
    await rm(work, { recursive: true });
    return [deb, rpm];
  } catch (error) {
    process.stderr.write(`package: ${work} is kept to look at\n`);
    throw error;
  }
}

/** Keeps a file that is the same in both folders. */
async function keepEqual(file, folders, out) {
  const built = folders.map((folder) => path.join(folder, file));
  const [first, second] = await Promise.all(built.map((one) => readFile(one)));
  if (!first.equals(second)) {
    throw new Error(`two builds of ${file} differ: compare ${built.join(' and ')} by diffoscope`);
  }
  await writeFile(path.join(out, `${file}.new`), first);
  await rename(path.join(out, `${file}.new`), path.join(out, file));
}

async function buildOnce(parent, { umask, ...environment }, what) {
  const { name, version, source } = what;
  const before = process.umask(umask);
  try {
    const folder = path.join(parent, `${name}-${version}`);
    await mkdir(folder, { recursive: true });
    const { spec, changed } = await source(folder);
    const env = { ...process.env, ...environment };
    // First: debhelper adds files of its own to the tree.
    await buildRpm(parent, folder, spec, {
      ...what,
      env: { ...env, SOURCE_DATE_EPOCH: String(changed.getTime() / 1000) },
    });
    buildDeb(folder, { ...what, env });
  } finally {
    process.umask(before);
  }
}

function buildDeb(folder, { architecture, compression, env }) {
  const wanted = architecture === 'all' ? [] : ['--host-arch', architecture];
  // The compiler is missed by nobody: nothing is compiled.
  const how = ['--build=binary', '--no-sign', '--no-pre-clean', ...wanted];
  const checks = architecture === 'all' ? [] : ['--no-check-builddeps'];
  const COMPRESSION = compression === 'fast' ? '-Zzstd -z3' : '-Zxz -z3';
  run('dpkg-buildpackage', [...how, ...checks], { cwd: folder, env: { ...env, COMPRESSION } });
}

async function buildRpm(parent, folder, spec, { name, architecture, compression, env }) {
  const file = path.join(parent, `${name}.spec`);
  await writeFile(file, spec);
  const macros = {
    _topdir: path.join(parent, 'rpm'),
    _rpmdir: parent,
    _rpmfilename: '%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm',
    source: folder,
    _buildhost: 'reproducible',
    use_source_date_epoch_as_buildtime: '1',
    clamp_mtime_to_source_date_epoch: '1',
    _binary_payload: compression === 'fast' ? 'w3.zstdio' : 'w6.xzdio',
    // What it was built on is not what it is for.
    _build_id_links: 'none',
  };
  const words = Object.entries(macros).flatMap(([key, value]) => ['--define', `${key} ${value}`]);
  const target = RPM_ARCHITECTURES[architecture];
  run('rpmbuild', ['-bb', '--quiet', '--target', target, ...words, file], { cwd: parent, env });
}

/** Throws what lintian says of the packages that no override explains. */
export function lintian(files) {
  // The lintian of Debian 12 does not know zstd, which its dpkg reads.
  const but = ['--suppress-tags', 'malformed-deb-archive'];
  run('lintian', ['--allow-root', '--fail-on', 'error,warning,info', '-I', ...but, ...files]);
}

/** Throws what rpmlint says of the packages that no filter explains. */
export function rpmlint(files) {
  const config = path.join(import.meta.dirname, 'rpmlint.toml');
  const said = run('rpmlint', ['--strict', '--config', config, ...files]);
  if (!/ 0 errors, 0 warnings/.test(said)) throw new Error(`rpmlint says:\n${said}`);
}

/** Runs a program and returns what it prints; throws its last lines when it fails. */
function run(command, words, options = {}) {
  try {
    return execFileSync(command, words, { encoding: 'utf8', stdio: 'pipe', ...options });
  } catch (error) {
    const lines = `${error.stdout ?? ''}${error.stderr ?? ''}`.trim().split('\n').slice(-30);
    throw new Error(`${command} ${words.join(' ')} failed:\n${lines.join('\n')}`, { cause: error });
  }
}
