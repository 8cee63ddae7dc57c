import { describe, expect, it } from 'vitest';
import { mountTools, runTool } from '../../src/host/mount-tools.ts';
import { fakeTools } from '../helpers/fake-tools.ts';

describe('mounts', () => {
  it('are those of this process where it shares them with process 1', () => {
    expect(mountTools(false)).toEqual({ run: runTool, mountTable: '/proc/self/mounts' });
  });

  it('are those of process 1 for an agent in a sandbox, and systemd makes them', async () => {
    const calls = await fakeTools({ 'systemd-run': 'echo done; exit 32' });
    const { run, mountTable } = mountTools(true);
    expect(mountTable).toBe('/proc/1/mounts');
    expect(await run('mount', ['-o', 'ro', '/dev/x', '/data'])).toMatchObject({
      exitCode: 32,
      stdout: 'done',
    });
    const options = ['--quiet', '--wait', '--pipe', '--collect', '--property=RuntimeMaxSec=180'];
    expect(await calls()).toEqual([
      [
        ...['systemd-run', ...options, '--setenv=LC_ALL'],
        ...['--', 'mount', '-o', 'ro', '/dev/x', '/data'],
      ],
    ]);
  });
});

describe('runTool', () => {
  const sh = (text: string): ReturnType<typeof runTool> => runTool('/bin/sh', ['-c', text]);

  it('gives the exit code and both outputs, whatever the code', async () => {
    expect(await sh('echo out; echo err >&2; exit 2')).toEqual({
      exitCode: 2,
      stdout: 'out',
      stderr: 'err',
    });
  });

  it('has nobody answer a question, and no translated messages', async () => {
    expect(await sh('read -r word || echo "nobody: $LC_ALL"')).toMatchObject({
      stdout: 'nobody: C',
    });
  });

  it('has no exit code of a tool that a signal ended', async () => {
    expect(await sh('kill -KILL $$')).toMatchObject({ exitCode: -1 });
  });

  it('says what to install when there is no such tool', async () => {
    await expect(runTool('/nonexistent/mkfs.xfs', [])).rejects.toMatchObject({
      retryable: true,
      message: '/nonexistent/mkfs.xfs cannot be started (ENOENT): install it',
    });
  });
});
