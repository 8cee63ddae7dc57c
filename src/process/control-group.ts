import { readFileSync } from 'node:fs';

/**
 * The control group of a process, as systemd knows it: `/system.slice/chmpx.service`. Null when the process is
 * gone. Where nothing makes control groups, as in most containers, all have the same one: it tells nothing.
 */
export function controlGroup(pid: number | 'self'): string | null {
  try {
    return groupIn(readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
  } catch {
    return null;
  }
}

/** Of version 1, or of both, systemd has a hierarchy of its own: cgroups(7). */
export function groupIn(text: string): string | null {
  const lines = text.split('\n');
  const own = lines.find((line) => line.includes(':name=systemd:'));
  const unified = lines.find((line) => line.startsWith('0::'));
  const [, group] = /^\d+:[^:]*:(.*)$/.exec(own ?? unified ?? '') ?? [];
  return group ?? null;
}
