import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import path from 'node:path';

/**
 * Makes control groups of this name below our own, in the hierarchies that systemd uses: two
 * containers in one group would take each other's units for their own.
 */
export function makeCgroups(name: string): string[] {
  const made = ownCgroups().map((group) => path.join(group, name));
  for (const group of made) mkdirSync(group, { recursive: true });
  return made;
}

/** Removes them with what the container had made in them; what is in use stays. */
export function removeCgroups(groups: readonly string[]): void {
  for (const group of groups) removeTree(group);
}

function removeTree(group: string): void {
  try {
    for (const entry of readdirSync(group, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(path.join(group, entry.name));
    }
    rmdirSync(group);
  } catch {
    // Never there, or in use.
  }
}

/** The folders of our own groups: in the one hierarchy of today, or in the two of before. */
function ownCgroups(): string[] {
  const isMixed = existsSync('/sys/fs/cgroup/unified');
  const mounts: Record<string, string> = {
    '': isMixed ? '/sys/fs/cgroup/unified' : '/sys/fs/cgroup',
    'name=systemd': '/sys/fs/cgroup/systemd',
  };
  const lines = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n');
  return lines.flatMap((line) => {
    const [, hierarchy = '', own = ''] = line.split(':');
    const mount = mounts[hierarchy];
    return mount === undefined ? [] : [path.join(mount, own)];
  });
}
