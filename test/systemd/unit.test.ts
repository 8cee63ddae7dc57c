import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';

it('systemd accepts the unit', async () => {
  const unit = await readFile(path.join(projectRoot, 'systemd/k2hdkc-guest-agent.service'), 'utf8');
  const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-unit-'));
  try {
    const file = path.join(directory, 'k2hdkc-guest-agent.service');
    // It is not installed here, and systemd also looks whether the program is there.
    const program = path.join(projectRoot, 'bin/k2hdkc-agent');
    await writeFile(file, unit.replace('/usr/bin/k2hdkc-agent', program));
    const { stdout, stderr } = await promisify(execFile)('systemd-analyze', ['verify', file]);
    expect(stdout + stderr).toBe('');
  } finally {
    await rm(directory, { recursive: true });
  }
});
