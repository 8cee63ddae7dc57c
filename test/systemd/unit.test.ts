import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';

const FILE = path.join(projectRoot, 'systemd/k2hdkc-guest-agent.service');
const run = promisify(execFile);

it('systemd accepts the unit', async () => {
  const unit = await readFile(FILE, 'utf8');
  const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-unit-'));
  try {
    const file = path.join(directory, 'k2hdkc-guest-agent.service');
    // It is not installed here, and systemd also looks whether the program is there.
    const program = path.join(projectRoot, 'bin/k2hdkc-agent');
    await writeFile(file, unit.replace('/usr/bin/k2hdkc-agent', program));
    const { stdout, stderr } = await run('systemd-analyze', ['verify', file]);
    expect(stdout + stderr).toBe('');
  } finally {
    await rm(directory, { recursive: true });
  }
});

it('the unit is exposed at most 4.0, as systemd counts it', async () => {
  // Of the unit alone: what else is on this machine does not count, nor does it have to be booted.
  const { stdout } = await run('systemd-analyze', ['security', '--offline=true', FILE]);
  const [, figure] = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout) ?? [];
  expect(Number(figure)).toBeGreaterThan(0);
  expect(Number(figure)).toBeLessThanOrEqual(4);
});

it('the unit lets no core dump hold keys, and gives back no capability of an administrator', async () => {
  const unit = await readFile(FILE, 'utf8');
  expect(unit).toMatch(/^LimitCORE=0$/m);
  expect(unit).toMatch(/^CapabilityBoundingSet=/m);
  expect(unit).not.toMatch(/CAP_SYS_(?:ADMIN|MODULE|RAWIO|BOOT)/);
});
