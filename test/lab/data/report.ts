import { quantile } from '../../helpers/quantile.ts';
import type { LoadReport } from './load.ts';
import type { ChangeTimes } from './phases.ts';

/** One measured change. */
export interface Row {
  way: string;
  change: string;
  seconds: number;
  /** The keys from before the run, those written since the grow, and the writer's. */
  keys: string;
  written: string;
  note: string;
  clients: LoadReport | null;
  times: ChangeTimes | null;
}

/** A change in one line, and below it where its time went. */
export function line({ way, change, seconds, keys, written, note, clients, times }: Row): string {
  const cells = [
    way.padEnd(12),
    change.padEnd(10),
    `${seconds.toFixed(1)} s`.padStart(8),
    keys.padStart(10),
    written.padStart(8),
    ...(clients ? [seenBy(clients)] : []),
    ...(times ? [`closed ${times.closed.toFixed(1)} s`] : []),
    note,
  ];
  const where = times?.phases.map(([name, s]) => `${name} ${s.toFixed(1)}`).join(', ') ?? '';
  const below = [...(where === '' ? [] : [where]), ...(times?.hangs ?? [])];
  return [cells.join('  ').trimEnd(), ...below.map((text) => `    ${text}`)].join('\n');
}

function seenBy(seen: LoadReport): string {
  const s = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  return [
    `${seen.operations} operations, ${seen.failed} tries failed, slowest try ${s(seen.slowestRequest)}`,
    `slowest operation ${s(seen.slowestOperation)}, no answer for ${s(seen.silence)}`,
    `${seen.missing} not found, ${seen.wrong} wrong, ${seen.lost} of ${seen.acknowledged} writes lost`,
  ].join('; ');
}

/** Middle and worst of what the rows of changes say. */
export function summary(rows: readonly Row[]): string {
  const of = (what: string, values: number[]): string[] => {
    if (values.length === 0) return [];
    const at = (share: number): string => quantile(values, share).toFixed(1);
    return [`${what}: ${values.length} times, median ${at(0.5)}, worst ${at(1)}`];
  };
  const changes = rows.filter(({ change }) => change !== 'start');
  const seen = changes.flatMap(({ clients }) => clients ?? []);
  const named = (kind: string): number[] =>
    changes.filter(({ change }) => change.startsWith(kind)).map(({ seconds }) => seconds);
  return [
    ...of('grow (s)', named('grow')),
    ...of('shrink (s)', named('shrink')),
    ...of(
      'closed (s)',
      changes.flatMap(({ times }) => times?.closed ?? []),
    ),
    ...of(
      'slowest try (s)',
      seen.map(({ slowestRequest }) => slowestRequest / 1000),
    ),
    ...of(
      'slowest operation (s)',
      seen.map(({ slowestOperation }) => slowestOperation / 1000),
    ),
    ...of(
      'tries that failed',
      seen.map(({ failed }) => failed),
    ),
    `changes with a hang: ${changes.filter(({ times }) => (times?.hangs.length ?? 0) > 0).length}`,
    `writes lost: ${seen.reduce((sum, { lost }) => sum + lost, 0)}`,
  ].join('\n');
}
