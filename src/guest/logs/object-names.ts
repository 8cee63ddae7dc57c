import { utcText } from './utc-text.ts';

/** Names in Swift, as Trove's own agent gives them (docs/contracts/guest.md, 3). */

/** What the names of a log's objects begin with. */
export function logPrefix(instanceId: string, log: string): string {
  return `${instanceId}/k2hdkc-${log}/`;
}

export function metafileName(instanceId: string, log: string): string {
  return `${instanceId}/k2hdkc-${log}_metafile`;
}

/**
 * The name of the next object: the UTC time with microseconds, and later than that of the object before it
 * whatever the clock says.
 *
 * @param wallMs since the epoch.
 */
export function nextObject(prefix: string, wallMs: number, last: string | null): string {
  const now = Math.floor(wallMs * 1000);
  const before = last === null ? null : microsecondsOf(last);
  const at = before === null ? now : Math.max(now, before + 1);
  return `${prefix}log-${utcText(at)}`;
}

/** When an object was named (ms since the epoch); null when its name does not say so. */
export function timeOfObject(name: string): number | null {
  const microseconds = microsecondsOf(name);
  return microseconds === null ? null : microseconds / 1000;
}

function microsecondsOf(name: string): number | null {
  const [, milliseconds, rest] = /log-([-\dT:]+\.\d{3})(\d{3})$/.exec(name) ?? [];
  const parsed = Date.parse(`${milliseconds}Z`);
  return Number.isNaN(parsed) ? null : parsed * 1000 + Number(rest);
}
