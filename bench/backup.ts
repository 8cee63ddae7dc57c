import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../test/helpers/project-root.ts';
import { randomFrom } from '../test/helpers/random-from.ts';
import { SwiftPeer } from '../test/peers/swift/swift-peer.ts';
import { writeArchive, type Kind } from './backup-archives.ts';
import { Contest, RUNS, type ContestParts, type Figures, type Run } from './backup-contest.ts';
import { backupSection } from './backup-results.ts';
import { formatSection, writeSection } from './results-file.ts';

const HELP = `npm run bench:backup -- [options]

Measures backups and restores of this agent beside upstream's pipeline, rebuilt from standard tools,
on one real Swift, taking turns, and writes its part of bench/RESULTS.md.
  --size MIB      of each archive (default 1024); needs about six times that on disk
  --rounds N      how often each is run (default 3)
  --level N       of gzip, for the agent (default 1)
  --only KIND     incompressible or compressible
  --no-write      leaves bench/RESULTS.md alone
`;

const KINDS: readonly Kind[] = ['incompressible', 'compressible'];

const say = (line: string): void => void process.stderr.write(`${line}\n`);

type Measured = Map<Run, Figures[]>;

/** The rounds of one archive; who begins changes from round to round. */
async function hold(contest: Contest, rounds: number): Promise<Measured> {
  const measured: Measured = new Map(RUNS.map((run) => [run, []]));
  const note = (runs: readonly Run[], figures: readonly Figures[]): void => {
    for (const [index, run] of runs.entries()) {
      const figure = figures[index];
      if (figure === undefined) continue;
      measured.get(run)?.push(figure);
      say(`  ${run}: ${figure.wall.toFixed(1)} s (load ${(loadavg()[0] ?? 0).toFixed(1)})`);
    }
  };
  const upstream = async (): Promise<void> =>
    note(['upstream backup', 'upstream restore'], await contest.upstream());
  const agent = async (): Promise<void> =>
    note(['agent backup', 'agent restore'], await contest.agent());
  for (let round = 0; round < rounds; round++) {
    say(`  round ${round + 1} of ${rounds}`);
    const turns = round % 2 === 0 ? [upstream, agent] : [agent, upstream];
    for (const turn of turns) await turn();
    note(['plain PUT', 'plain GET', 'gzip -1'], await contest.limits());
  }
  return measured;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean' },
      size: { type: 'string', default: '1024' },
      rounds: { type: 'string', default: '3' },
      level: { type: 'string', default: '1' },
      only: { type: 'string' },
      'no-write': { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const [size, rounds, level] = [values.size, values.rounds, values.level].map(Number) as Three;
  const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-bench-'));
  const subject = path.join(projectRoot, 'dist/bench/backup-subject.cjs'); // run.mjs has made it
  const swift = await SwiftPeer.start();
  try {
    const account = await swift.account();
    await account.makeContainer('database_backups');
    const figures = new Map<Kind, Measured>();
    for (const kind of KINDS.filter((name) => (values.only ?? name) === name)) {
      say(`${kind}: writing ${size} MiB`);
      const file = path.join(directory, `${kind}.k2har`);
      const facts = await writeArchive(file, kind, size * 1024 ** 2, randomFrom(7));
      const own = path.join(directory, kind);
      await mkdir(own);
      const parts: ContestParts = { swift, account, subject, level, directory: own };
      figures.set(kind, await hold(await Contest.open(parts, { file, ...facts }), rounds));
      await rm(own, { recursive: true });
      await rm(file);
    }
    const section = await formatSection(backupSection({ size, rounds, level, figures }));
    process.stdout.write(section);
    if (!values['no-write']) await writeSection(section);
  } finally {
    await swift.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

type Three = [number, number, number];

await main();
