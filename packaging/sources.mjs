// Puts together the source trees of which dpkg-buildpackage makes the packages.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { debianEntry, listItems, rpmEntry, sections } from './changelog.mjs';
import { checkDependencies } from './needed-libraries.mjs';

const root = path.dirname(import.meta.dirname);
const MAINTAINER = `${process.env.DEBFULLNAME ?? 'k2hdkc-guest-agent authors'} <${process.env.DEBEMAIL ?? 'k2hdkc-guest-agent@users.noreply.github.com'}>`;
/** Architectures of Debian, and what the npm registry calls them. */
export const NPM_ARCHITECTURES = { amd64: 'x64', arm64: 'arm64' };

const read = (...names) => readFile(path.join(root, ...names), 'utf8');

/** Which version of the agent, and of Node.js, is packed. */
export async function versions() {
  const { version: agent } = JSON.parse(await read('package.json'));
  const { version: runtime } = JSON.parse(await read('packaging/runtime/package.json'));
  return { agent, runtime };
}

/**
 * Builds the product and writes the source tree of the agent's packages into `folder`; returns the text of
 * its spec, and when it was last changed.
 */
export async function agentSource(folder) {
  // Not into dist: others run what is there.
  const dist = path.join(folder, 'dist');
  execFileSync(process.execPath, [path.join(root, 'scripts/build.mjs'), '--out', dist]);
  const { agent: version } = await versions();
  const bundled = await readFile(path.join(dist, 'THIRD_PARTY_LICENSES'), 'utf8');
  const [newest] = sections(await read('CHANGELOG.md'));
  if (newest?.version !== version) {
    throw new Error(`CHANGELOG.md begins with ${newest?.version}, package.json says ${version}`);
  }
  await debianFolder('agent', folder, {
    LICENSE: await read('LICENSE'),
    BUNDLED: bundled,
  });
  const entry = {
    source: 'k2hdkc-guest-agent',
    version,
    items: listItems(newest.text),
    maintainer: MAINTAINER,
    date: lastChange('.'),
  };
  await writeFile(path.join(folder, 'debian/changelog'), debianEntry(entry));
  const copies = [
    ...['config', 'docs', 'systemd', 'README.md', 'CHANGELOG.md', 'SECURITY.md'],
    ...['bin/compiled.cjs', 'bin/package.json'],
  ];
  for (const name of copies) {
    await cp(path.join(root, name), path.join(folder, name), { recursive: true });
  }
  const [, ...main] = (await read('bin/k2hdkc-agent')).split('\n');
  await writeFile(path.join(folder, 'bin/main.cjs'), main.join('\n'));
  const unit = 'k2hdkc-guest-agent.service';
  await cp(path.join(root, 'systemd', unit), path.join(folder, 'debian', unit));
  for (const [name, place] of [
    ['k2hdkc-agent', 'bin/k2hdkc-agent'],
    ['k2hdkc-agent.8', 'man/k2hdkc-agent.8'],
    ['k2hdkc-agent.completion', 'completions/k2hdkc-agent'],
  ]) {
    await mkdir(path.dirname(path.join(folder, place)), { recursive: true });
    await cp(path.join(root, 'packaging/agent', name), path.join(folder, place));
  }
  const words = { VERSION: version, LICENSES: licencesOf(bundled), CHANGELOG: rpmEntry(entry) };
  return {
    changed: entry.date,
    spec: fill(await read('packaging/agent/k2hdkc-guest-agent.spec'), words),
  };
}

/** The licences of the agent and of all that is in its bundle, as an expression of SPDX. */
function licencesOf(bundled) {
  const named = [...bundled.matchAll(/^\S+ \d\S* \((.+)\)$/gm)].map(([, name]) => name);
  if (named.length === 0) throw new Error('THIRD_PARTY_LICENSES names no licence');
  return [...new Set(['MIT', ...named.sort()])].join(' AND ');
}

/**
 * Writes the source tree of the runtime's packages into `folder`; `node` is what npm installed. Returns what
 * `agentSource` does.
 */
export async function runtimeSource(folder, node) {
  const { runtime: version } = await versions();
  await debianFolder('runtime', folder, {
    LICENSE: await readFile(path.join(node, 'LICENSE'), 'utf8'),
    NODE_VERSION: version,
  });
  const program = path.join(node, 'bin/node');
  checkDependencies(program, await read('packaging/runtime/debian/control'));
  await mkdir(path.join(folder, 'bin'));
  await cp(program, path.join(folder, 'bin/node'));
  const entry = {
    source: 'k2hdkc-guest-agent-runtime',
    version,
    items: [`Node.js ${version}.`],
    maintainer: MAINTAINER,
    date: lastChange('packaging/runtime'),
  };
  await writeFile(path.join(folder, 'debian/changelog'), debianEntry(entry));
  const words = { VERSION: version, CHANGELOG: rpmEntry(entry) };
  return {
    changed: entry.date,
    spec: fill(await read('packaging/runtime/k2hdkc-guest-agent-runtime.spec'), words),
  };
}

/**
 * The folder into which npm installed node for this architecture: the version and the hash that
 * packaging/runtime/package-lock.json pins. Kept below node_modules/.cache.
 */
export async function pinnedNode(architecture) {
  const lock = await read('packaging/runtime/package-lock.json');
  const key = createHash('sha256').update(lock).digest('hex').slice(0, 16);
  const name = `node-linux-${NPM_ARCHITECTURES[architecture]}`;
  const home = path.join(root, 'node_modules/.cache/runtime', `${architecture}-${key}`);
  const done = path.join(home, 'done');
  if (!(await readFile(done).catch(() => null))) {
    await mkdir(home, { recursive: true });
    for (const file of ['package.json', 'package-lock.json']) {
      await cp(path.join(root, 'packaging/runtime', file), path.join(home, file));
    }
    const platform = ['--os=linux', `--cpu=${NPM_ARCHITECTURES[architecture]}`];
    execFileSync(
      'npm',
      ['ci', ...platform, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      { cwd: home, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    await writeFile(done, '');
  }
  return path.join(home, 'node_modules', name);
}

/** Copies a debian/ folder, with what stands between @ in it replaced. */
async function debianFolder(which, folder, words) {
  const from = path.join(root, 'packaging', which, 'debian');
  const to = path.join(folder, 'debian');
  await cp(from, to, { recursive: true });
  const all = { ...words, MAINTAINER };
  for (const name of ['control', 'copyright']) {
    const text = await readFile(path.join(from, name), 'utf8');
    await writeFile(path.join(to, name), `${fill(text, all).trimEnd()}\n`);
  }
}

/** Replaces what stands between @. */
function fill(text, words) {
  return text.replace(/@([A-Z_]+)@/g, (_, word) => words[word].trimEnd());
}

/** When a path was last committed, or what SOURCE_DATE_EPOCH says: the date of all in a package. */
export function lastChange(name) {
  const epoch = process.env.SOURCE_DATE_EPOCH ?? commitTime(name) ?? commitTime('.');
  if (epoch === undefined) {
    throw new Error('this is no git checkout: set SOURCE_DATE_EPOCH to the time of the source');
  }
  return new Date(Number(epoch) * 1000);
}

function commitTime(name) {
  const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
  try {
    return (
      execFileSync('git', ['log', '-1', '--format=%ct', '--', name], options).trim() || undefined
    );
  } catch {
    return undefined;
  }
}
