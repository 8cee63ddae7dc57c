import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hasOwnMounts, outside } from '../../src/host/outside.ts';

const HOST = '21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n22 21 0:20 / /proc rw - proc proc rw\n';
const OWN = '121 80 8:1 / / ro - ext4 /dev/sda1 rw\n122 121 0:20 / /proc rw - proc proc rw\n';

describe('an agent', () => {
  it('has mounts of its own when none of them is one of process 1', () => {
    expect(hasOwnMounts((pid) => (pid === '1' ? HOST : OWN), true)).toBe(true);
  });

  it.each([
    ['shares them', () => HOST, true],
    [
      'shares some: the others were mounted meanwhile',
      (pid: string) => (pid === '1' ? HOST : `${HOST}9 21 8:2 / /data rw - ext4 /dev/sdb rw\n`),
      true,
    ],
    ['cannot see those of process 1', (pid: string) => (pid === '1' ? '' : OWN), true],
    ['is where no systemd could mount for it', (pid: string) => (pid === '1' ? HOST : OWN), false],
  ])('has none of its own when it %s', (_, mountInfo, booted) => {
    expect(hasOwnMounts(mountInfo, booted)).toBe(false);
  });

  it('sees by the kernel’s own numbers what unshare(1) has done', (test) => {
    const { status, stdout } = spawnSync('unshare', ['--mount', 'cat', '/proc/self/mountinfo'], {
      encoding: 'utf8',
    });
    if (status !== 0) return test.skip(); // only root may
    const shared = readFileSync('/proc/self/mountinfo', 'utf8');
    expect(hasOwnMounts((pid) => (pid === '1' ? shared : stdout), true)).toBe(true);
    expect(hasOwnMounts(() => shared, true)).toBe(false);
  });
});

it('a command outside of the unit has a limit and only the variables that are named', () => {
  expect(outside(['mount', '/dev/x'], { limitMs: 1500, variables: ['LC_ALL'] })).toEqual([
    'systemd-run',
    [
      ...['--quiet', '--wait', '--pipe', '--collect', '--property=RuntimeMaxSec=2'],
      ...['--setenv=LC_ALL', '--', 'mount', '/dev/x'],
    ],
  ]);
});
