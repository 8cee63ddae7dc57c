import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  buildPackages,
  CONFIGURATION,
  inRoot,
  minimalDebian,
  type Packages,
  type RpmPackages,
} from './guest-image.ts';

const run = promisify(execFile);
/** Packages are built, and the first time a Debian is. */
const BUILD_MS = 900_000;

const reason = process.getuid?.() === 0 ? null : 'it needs root';
if (reason !== null) process.stderr.write(`NOT TESTED: the rpms: ${reason}\n`);

/** The files of a .deb, without folders. */
async function filesOfDeb(deb: string): Promise<string[]> {
  const { stdout } = await run('dpkg-deb', ['--contents', deb]);
  return [...stdout.matchAll(/^[^d].* \.(\/\S*)(?: -> .*)?$/gm)].map(([, name = '']) => name);
}

/**
 * Debian's rpm puts them into a root of Debian: there is no Fedora here, so what the packages ask for is not
 * looked up.
 */
describe.runIf(reason === null)('the rpms', () => {
  let directory: string;
  let root: string;
  let packages: Packages & RpmPackages;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-rpm-test-'));
    root = path.join(directory, 'root');
    packages = await buildPackages(path.join(directory, 'packages'));
    await minimalDebian(root);
  }, BUILD_MS);
  afterAll(() => rm(directory, { recursive: true }));

  const file = (name: string): string => path.join(root, name);
  const exists = (name: string): Promise<boolean> =>
    stat(file(name)).then(
      () => true,
      () => false,
    );
  const rpm = async (...words: string[]): Promise<string> => {
    const { stdout, stderr } = await run('rpm', words, { maxBuffer: 1 << 24 });
    return stdout + stderr;
  };
  const inRpm = async (of: string): Promise<string[]> =>
    (await rpm('--query', '--list', '--package', of)).trim().split('\n');

  it('have the files of the .debs', async () => {
    const pairs = [
      [packages.agent, packages.agentRpm],
      [packages.runtime, packages.runtimeRpm],
    ] as const;
    for (const [deb, of] of pairs) {
      const names = await filesOfDeb(deb);
      const debian = names
        .map((name) => name.replace(/^\/lib\//, '/usr/lib/'))
        // What belongs to Debian's packages alone.
        .filter(
          (name) =>
            !/^\/usr\/share\/(?:lintian\/|doc\/[^/]+\/(?:copyright|changelog.*\.gz)$)/.test(name),
        );
      expect(debian).not.toEqual([]);
      const others = await inRpm(of);
      for (const name of debian) expect(others).toContain(name);
      const more = others.filter((name) => !debian.includes(name));
      // Debian's has its state directory from tmpfiles.d alone.
      const explained = /\.compiled$|^\/usr\/share\/licenses\/|^\/var\/lib\/k2hdkc-guest-agent$/;
      const folders = more.filter((name) => !explained.test(name));
      for (const name of folders) {
        expect(
          debian.some((one) => one.startsWith(`${name}/`)),
          name,
        ).toBe(true);
      }
    }
  });

  it('install, compile the bundle, and make user, state directory and unit; nothing is started', async () => {
    const both = [packages.runtimeRpm, packages.agentRpm];
    const said = await rpm('--root', root, '--install', '--nodeps', ...both);
    expect(said).not.toMatch(/fail|error|not compiled/i);
    expect(await inRoot(root, 'k2hdkc-agent', '--version')).toMatch(/\d+\.\d+\.\d+/);
    expect(await exists('usr/lib/k2hdkc-guest-agent/dist/k2hdkc-agent.cjs.compiled')).toBe(true);
    expect(await inRoot(root, 'id', '--user', '--name', 'k2hdkc')).toBe('k2hdkc');
    const { mode } = await stat(file('var/lib/k2hdkc-guest-agent'));
    expect(mode & 0o777).toBe(0o700);
    expect((await stat(file(CONFIGURATION))).mode & 0o777).toBe(0o600);
    const wants = 'etc/systemd/system/multi-user.target.wants/k2hdkc-guest-agent.service';
    // A link into the root, which does not resolve out here.
    expect(await inRoot(root, 'readlink', `/${wants}`)).toContain('k2hdkc-guest-agent.service');
    // The compiled form is nobody's file until it is made.
    const verified = await rpm('--root', root, '--verify', '--nodeps', 'k2hdkc-guest-agent');
    expect(
      verified.split('\n').filter((line) => line !== '' && !line.includes('.compiled')),
    ).toEqual([]);
  });

  it('keep a changed agent.yaml over a second installation, and leave state when they are removed', async () => {
    await appendFile(file(CONFIGURATION), '# mine\n');
    await rpm('--root', root, '--upgrade', '--force', '--nodeps', packages.agentRpm);
    expect(await inRoot(root, 'tail', '-n', '1', `/${CONFIGURATION}`)).toBe('# mine');
    await appendFile(file('var/lib/k2hdkc-guest-agent/desired.json'), '{}');
    await rpm('--root', root, '--erase', '--nodeps', 'k2hdkc-guest-agent');
    expect(await exists('usr/lib/k2hdkc-guest-agent')).toBe(false);
    expect(await exists('usr/bin/k2hdkc-agent')).toBe(false);
    expect(await exists('var/lib/k2hdkc-guest-agent/desired.json')).toBe(true);
    expect(await exists(`${CONFIGURATION}.rpmsave`)).toBe(true);
  });
});
