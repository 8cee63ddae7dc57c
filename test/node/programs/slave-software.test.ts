import { describe, expect, it, vi } from 'vitest';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DesiredStateStore } from '../../../src/node/desired-state.ts';
import { SlaveSoftware } from '../../../src/node/programs/slave-software.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { K2hr3Error } from '../../../src/k2hr3/k2hr3-error.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { PARAMETERS, registrationFor } from '../builders.ts';

const never = new AbortController().signal;

/** Looks after the software of a role with these keys, on a system that has only chmpx. */
async function lookAfter(keys: Record<string, string>, install: boolean) {
  const folder = await temporaryDirectory();
  const calls = path.join(folder, 'calls');
  await writeFile(calls, '');
  const programs = { 'apt-get': 'exit 0', systemctl: 'exit 0', dpkg: 'test "$3" = chmpx' };
  for (const [name, body] of Object.entries(programs)) {
    const log = name === 'dpkg' ? '' : `echo "${name} $*" >> ${calls}\n`;
    await writeFile(path.join(folder, name), `#!/bin/sh\n${log}${body}\n`);
    await chmod(path.join(folder, name), 0o755);
  }
  vi.stubEnv('PATH', folder);
  const desired = await DesiredStateStore.open(folder);
  await desired.update({ registration: registrationFor(PARAMETERS) });
  const { log, texts } = recordingLog();
  let installed = 0;
  const software = new SlaveSoftware({
    desired,
    readKey: (_, key) => {
      const value = { 'chmpx-mode': 'SLAVE', ...keys }[key];
      if (value !== undefined) return Promise.resolve(value);
      return Promise.reject(new K2hr3Error('not-found', 'no such key'));
    },
    install,
    onInstalled: () => (installed += 1),
    clock: systemClock,
    random: () => 0.5,
    log,
  });
  await software.run(never);
  return { calls: await readFile(calls, 'utf8'), texts, installed };
}

describe('SlaveSoftware', () => {
  it('installs what is missing and starts services, but not those whose work the agent does', async () => {
    const { calls, texts, installed } = await lookAfter(
      {
        'k2hr3-init-packages': 'chmpx, my-app',
        'k2hr3-init-systemd-packages': 'chmpx.service,k2hr3-get-resource.timer,my-app.service',
      },
      true,
    );
    expect(calls).toBe(
      'apt-get update --quiet\n' +
        'apt-get install --yes --quiet --no-install-recommends -- my-app\n' +
        'systemctl enable --now -- my-app.service\n',
    );
    expect(installed).toBe(1);
    expect(texts).toContain('not started as services: this agent does their work');
  });

  it('only names what is missing when it may not install', async () => {
    const { calls, texts } = await lookAfter({ 'k2hr3-init-packages': 'my-app' }, false);
    expect(calls).toBe('');
    expect(texts).toEqual(['the role asks for packages that are missing']);
  });

  it("never adds a vendor's package source", async () => {
    const keys = { 'k2hr3-init-packagecloud-packages': 'k2hdkc-dbaas-override-conf' };
    const { calls, texts } = await lookAfter(keys, true);
    expect(calls).toBe('');
    expect(texts).toEqual(['the role asks for packages that are missing']);
  });

  it('does nothing for a cluster that Trove made, whose keys are empty or not there', async () => {
    expect(await lookAfter({ 'k2hr3-init-packages': '' }, true)).toEqual({
      calls: '',
      texts: [],
      installed: 0,
    });
  });

  it('gives no option or path of somebody else to a command', async () => {
    const names = '--allow-downgrades,/tmp/evil.deb,my-app';
    const { calls, texts } = await lookAfter({ 'k2hr3-init-packages': names }, true);
    expect(calls).toContain(' -- my-app\n');
    expect(texts[0]).toBe('names that cannot be those of packages');
  });
});
