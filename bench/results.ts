import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { quantile } from '../test/helpers/quantile.ts';
import { median } from './figures.ts';
import type { Guest } from './guests.ts';
import type { CallPlan, Calls, Idle } from './phases.ts';

/** All that was measured. */
export interface Results {
  detached: Guest;
  serving: Guest;
  python: Guest;
  echo: Guest;
  node: Guest;
  starts: ReadonlyMap<Guest, readonly number[]>;
  calls: ReadonlyMap<Guest, Calls>;
  idle: ReadonlyMap<Guest, Idle>;
  plan: CallPlan;
}

/** One line of the table: a figure of each guest that has it, and what is wanted. */
interface Row {
  what: string;
  figure: (guest: Guest) => string;
  goal: string;
  met: boolean | null;
}

/** The benchmark's part of bench/RESULTS.md: the results, the machine and the versions. */
export function resultsSection(results: Results): string {
  const { detached, python, echo, node, starts, plan } = results;
  const columns = [detached, python, echo, node];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const table = [
    line(['', ...columns.map(({ name }) => name), 'goal', 'met']),
    line(['---', ...columns.map(() => '--:'), '---', '---']),
    ...rowsOf(results).map(({ what, figure, goal, met }) =>
      line([what, ...columns.map(figure), goal, met === null ? '' : met ? 'yes' : '**no**']),
    ),
  ];
  return `# RPC: this agent beside Python's

Made by \`npm run bench:rpc\` in one run on one RabbitMQ; do not edit. Every guest that talks is called
by the same real oslo client.

${machine()}

${table.join('\n')}

- **Python guest**: Trove's own \`RpcService\` and base manager with nothing added; encrypted, as this
  agent is. **amqplib echo**: the least that answers, not encrypted, nothing confirmed.
- **Start**: until the guest's queue has a consumer (bare Node.js: until \`node -e 0\` has ended); median
  of ${starts.get(detached)?.length ?? 0}, taking turns. The agent's node was prepared before, without a cluster.
- **rpc_ping**: ${plan.sequential} calls one after the other, then ${plan.callers} callers in ${plan.rounds} rounds of
  ${plan.perRound} calls, taking turns. Most of the time is that of the client and the broker, which share
  the machine: the echo shows what is left to win.
- **Idle**: fresh processes side by side, each alone with its runtime as on a VM of its own: every
  Node.js process has its own copy of \`node\`, and there is no other Python process. CPU time
  includes the programs that the agent runs, such as chmpxstatus.
`;
}

function rowsOf({ detached, serving, python, echo, starts, calls, idle }: Results): Row[] {
  const start = (guest: Guest): number => median(starts.get(guest) ?? []);
  const sequential = (guest: Guest): number => median(calls.get(guest)?.sequential ?? []);
  const rate = (guest: Guest): number => median(calls.get(guest)?.rates ?? []);
  const of = (guest: Guest): Idle =>
    idle.get(guest) ?? { resident: NaN, proportional: NaN, cpu: NaN };
  const optional =
    (known: ReadonlyMap<Guest, unknown>, text: (guest: Guest) => string) =>
    (guest: Guest): string =>
      known.has(guest) ? text(guest) : '';
  return [
    {
      what: 'start → consuming, ms',
      figure: optional(starts, (guest) => start(guest).toFixed(0)),
      goal: 'under 150, a tenth of Python’s',
      met: start(detached) < 150 && start(detached) <= start(python) / 10,
    },
    {
      what: 'idle RSS, MiB',
      figure: (guest) => of(guest).resident.toFixed(1),
      goal: 'under 54',
      met: of(detached).resident < 54,
    },
    {
      what: 'idle PSS, MiB',
      figure: (guest) => of(guest).proportional.toFixed(1),
      goal: '0.6 of Python’s',
      met: of(detached).proportional <= 0.6 * of(python).proportional,
    },
    {
      what: 'idle CPU, % of a core',
      figure: (guest) => of(guest).cpu.toFixed(2),
      goal: 'under 0.2',
      met: of(detached).cpu < 0.2,
    },
    {
      what: 'the same, serving in a cluster',
      figure: (guest) => (guest === detached ? of(serving).cpu.toFixed(2) : ''),
      goal: 'under 1',
      met: of(serving).cpu < 1,
    },
    {
      what: 'RSS, serving in a cluster, MiB',
      figure: (guest) => (guest === detached ? of(serving).resident.toFixed(1) : ''),
      goal: '',
      met: null,
    },
    {
      what: 'rpc_ping, median, ms',
      figure: optional(calls, (guest) => sequential(guest).toFixed(2)),
      goal: 'half of Python’s',
      met: sequential(detached) <= sequential(python) / 2,
    },
    {
      what: 'the same, above the echo’s, ms',
      figure: (guest) =>
        guest === detached || guest === python
          ? (sequential(guest) - sequential(echo)).toFixed(2)
          : '',
      goal: '',
      met: null,
    },
    {
      what: 'rpc_ping, p99, ms',
      figure: optional(calls, (guest) =>
        quantile(calls.get(guest)?.sequential ?? [], 0.99).toFixed(2),
      ),
      goal: '',
      met: null,
    },
    {
      what: 'calls per second, 16 callers',
      figure: optional(calls, (guest) => rate(guest).toFixed(0)),
      goal: '1.5 × Python’s',
      met: rate(detached) >= 1.5 * rate(python),
    },
    {
      what: 'CPU time of the guest per call, ms',
      figure: optional(calls, (guest) => (calls.get(guest)?.cpuPerCall ?? NaN).toFixed(2)),
      goal: '',
      met: null,
    },
  ];
}

function machine(): string {
  const gibibytes = (totalmem() / 1024 ** 3).toFixed(0);
  const packages = ['rabbitmq-server', 'python3-trove', 'python3-oslo.messaging', 'python3'];
  const versions = packages.map((name) => `${name} ${versionOf(name)}`).join(', ');
  return (
    `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${gibibytes} GiB, ` +
    `Linux ${release()}; Node.js ${process.version}, ${versions}.`
  );
}

function versionOf(name: string): string {
  return execFileSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' });
}
