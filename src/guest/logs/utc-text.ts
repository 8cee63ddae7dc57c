/**
 * A time in UTC as `2026-11-30T23:59:59.123456`.
 *
 * @param microseconds since the epoch.
 */
export function utcText(microseconds: number): string {
  const milliseconds = new Date(Math.floor(microseconds / 1000)).toISOString().slice(0, -1);
  return `${milliseconds}${String(microseconds % 1000).padStart(3, '0')}`;
}
