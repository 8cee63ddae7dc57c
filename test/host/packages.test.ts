import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { enableUnits, installPackages, missingPackages } from '../../src/host/packages.ts';
import { until } from '../helpers/until.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const never = new AbortController().signal;

/** A PATH with just these programs; each notes how it was called in the file `calls`. */
async function onlyOnPath(programs: Record<string, string>): Promise<() => Promise<string>> {
  const folder = await temporaryDirectory();
  const calls = path.join(folder, 'calls');
  await writeFile(calls, '');
  for (const [name, body] of Object.entries(programs)) {
    const file = path.join(folder, name);
    await writeFile(file, `#!/bin/sh\necho "${name} $*" >> ${calls}\n${body}\n`);
    await chmod(file, 0o755);
  }
  vi.stubEnv('PATH', folder);
  return () => readFile(calls, 'utf8');
}

const DPKG = 'case "$*" in *chmpx*) exit 0 ;; *) exit 1 ;; esac';

describe('packages', () => {
  it('knows what is installed and what is not', async () => {
    await onlyOnPath({ 'apt-get': '', dpkg: DPKG });
    expect(await missingPackages(['chmpx', 'k2hdkc'])).toEqual(['k2hdkc']);
    await onlyOnPath({ dnf: '', rpm: 'exit 1' });
    expect(await missingPackages(['chmpx'])).toEqual(['chmpx']);
  });

  it('installs without asking and without a shell', async () => {
    const calls = await onlyOnPath({ 'apt-get': '', dpkg: DPKG });
    await installPackages(['k2hdkc', '$(reboot)'], never);
    expect(await calls()).toBe(
      'apt-get update --quiet\n' +
        'apt-get install --yes --quiet --no-install-recommends -- k2hdkc $(reboot)\n',
    );
  });

  it('has systemd install them for an agent that may not write to /usr', async () => {
    const calls = await onlyOnPath({ 'apt-get': '', dpkg: DPKG, 'systemd-run': '' });
    await installPackages(['k2hdkc'], never, true);
    const options =
      '--quiet --wait --pipe --collect --property=RuntimeMaxSec=900 ' +
      '--setenv=DEBIAN_FRONTEND --setenv=LC_ALL';
    const said = (await calls())
      .replaceAll(/--setenv=\w*_proxy /gi, '') // of this machine
      .replaceAll(/--unit=k2hdkc-guest-agent-[0-9a-f]{12}\.service /g, '');
    expect(said).toBe(
      `systemd-run ${options} -- apt-get update --quiet\n` +
        `systemd-run ${options} -- apt-get install --yes --quiet --no-install-recommends -- k2hdkc\n`,
    );
  });

  it('ends what systemd runs for it when the agent ends', async () => {
    const calls = await onlyOnPath({
      apk: '',
      'systemd-run': 'exec /bin/sleep 1000',
      systemctl: '',
    });
    const ending = new AbortController();
    const installing = installPackages(['k2hdkc'], ending.signal, true);
    installing.catch(() => undefined);
    const unit = await until('it runs', async () => /--unit=(\S+)/.exec(await calls())?.[1]);
    ending.abort();
    await expect(installing).rejects.toThrow(/^apk add -- k2hdkc: /);
    expect(await calls()).toMatch(new RegExp(`\nsystemctl stop -- ${unit}\n$`));
  });

  it('says what the package manager said last', async () => {
    await onlyOnPath({ apk: 'echo first >&2; echo "ERROR: no such package" >&2; exit 1' });
    await expect(installPackages(['chmpx'], never)).rejects.toMatchObject({
      message: 'apk add -- chmpx: ERROR: no such package',
      retryable: true,
    });
  });

  it('says when there is no package manager', async () => {
    await onlyOnPath({});
    expect(await missingPackages(['chmpx'])).toEqual(['chmpx']);
    await expect(installPackages(['chmpx'], never)).rejects.toThrow(
      'none of apt-get, dnf, yum, apk is on PATH: install chmpx',
    );
  });

  it('enables and starts units', async () => {
    const calls = await onlyOnPath({ systemctl: '' });
    await enableUnits(['app.service'], never);
    expect(await calls()).toBe('systemctl enable --now -- app.service\n');
  });
});
