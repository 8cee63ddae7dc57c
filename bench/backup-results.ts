import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import type { Kind } from './backup-archives.ts';
import { RUNS, type Figures, type Run } from './backup-contest.ts';
import { median } from './figures.ts';

/** All that was measured. */
export interface Results {
  /** MiB of each archive. */
  size: number;
  rounds: number;
  level: number;
  figures: ReadonlyMap<Kind, ReadonlyMap<Run, readonly Figures[]>>;
}

/** The goals are for archives of this size, on two cores. */
const GOAL_MIB = 1024;
/** Seconds. */
const WALL_GOALS: Record<Kind, Partial<Record<Run, number>>> = {
  incompressible: { 'agent backup': 14, 'agent restore': 7 },
  compressible: { 'agent backup': 10, 'agent restore': 6 },
};
const GROWTH_GOAL_MIB = 32;
const LAG_GOAL_MS = 50;

/** The benchmark's part of bench/RESULTS.md. */
export function backupSection(results: Results): string {
  const { size, rounds, level, figures } = results;
  const columns = [
    ...['', 'wall, s', 'MiB/s', 'CPU, s', 'Swift’s CPU, s', 'peak RSS, MiB'],
    ...['temporary, MiB', 'stored, MiB', 'goal', 'met'],
  ];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const table = [
    line(columns),
    line(columns.map((_, index) => (index === 0 || index >= 8 ? '---' : '--:'))),
    ...[...figures].flatMap(([kind, of]) => [
      line([`**${kind}**`, ...columns.slice(1).map(() => '')]),
      ...RUNS.map((run) => line(row(results, kind, run, of.get(run) ?? []))),
    ]),
  ];
  return `# Backup: this agent beside upstream's pipeline

Made by \`npm run bench:backup\` in one run on one Swift; do not edit. Archives of ${size} MiB, each run
${rounds === 1 ? 'once' : `${rounds} times`}, taking turns; medians, and of memory and delays the worst.

${machine()}

${table.join('\n')}

- **Upstream**: its driver's pipeline rebuilt from standard tools: \`tar -z\`, gzip once more, the whole
  segment spooled to a file, upload by swiftclient in 64 KiB pieces, copied by Swift, deleted; restored
  by \`gzip -d\` and \`tar -xz\`. Without the container that upstream starts for it.
- **Agent**: its own code in a process of its own, start included; gzip level ${level}. The archive is there
  before, for both; the agent also walks and hashes it, on both ways. Its RSS is followed by what it has
  grown by; execa is loaded before, as in an agent that serves.
- **Temporary**: files beside the snapshot and the restored archive. **Plain PUT, GET, gzip -1**: what
  this machine can do, with Swift on the same cores.
${delays(figures)}`;
}

function row(results: Results, kind: Kind, run: Run, all: readonly Figures[]): string[] {
  const middle = (field: 'wall' | 'cpu' | 'swiftCpu'): number => median(all.map((f) => f[field]));
  const most = (field: 'resident' | 'temporary'): number => Math.max(...all.map((f) => f[field]));
  const wall = middle('wall');
  const growth = mostOf(all, 'growth');
  const stored = mostOf(all, 'stored');
  const wallGoal = WALL_GOALS[kind][run];
  const goal =
    wallGoal === undefined ? '' : `${wallGoal} s, +${GROWTH_GOAL_MIB} MiB, no temporary file`;
  const met = wall <= (wallGoal ?? 0) && (growth ?? 0) < GROWTH_GOAL_MIB && most('temporary') < 1;
  return [
    run,
    wall.toFixed(1),
    (results.size / wall).toFixed(0),
    middle('cpu').toFixed(1),
    middle('swiftCpu').toFixed(1),
    `${most('resident').toFixed(0)}${growth === undefined ? '' : ` (+${growth.toFixed(1)})`}`,
    most('temporary').toFixed(0),
    stored === undefined ? '' : stored.toFixed(0),
    goal,
    goal === '' || results.size !== GOAL_MIB ? '' : met ? 'yes' : '**no**',
  ];
}

function delays(figures: Results['figures']): string {
  const worst = [...figures.values()].flatMap((of) =>
    [...of.values()].flatMap((all) => mostOf(all, 'lag') ?? []),
  );
  const lag = Math.max(...worst);
  return `- **Event loop of the agent**: delayed by ${lag.toFixed(1)} ms at most, 99th percentile of each run; goal
  under ${LAG_GOAL_MS} ms, ${lag < LAG_GOAL_MS ? 'met' : '**not met**'}.
`;
}

function mostOf(all: readonly Figures[], field: 'growth' | 'lag' | 'stored'): number | undefined {
  const known = all.flatMap((figures) => figures[field] ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
}

function machine(): string {
  const gibibytes = (totalmem() / 1024 ** 3).toFixed(0);
  const versions = ['python3-swift', 'python3-swiftclient', 'gzip', 'tar']
    .map((name) => `${name} ${versionOf(name)}`)
    .join(', ');
  return (
    `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${gibibytes} GiB, ` +
    `Linux ${release()}; Node.js ${process.version}, ${versions}.`
  );
}

function versionOf(name: string): string {
  return execFileSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' });
}
