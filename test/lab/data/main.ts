import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../../src/base/clock.ts';
import { messageOf } from '../../../src/base/errors.ts';
import { resolveSubject } from '../../conformance/subject.ts';
import { readKeys, writeKeys } from '../../helpers/ring-keys.ts';
import { AgentRing } from './agent-ring.ts';
import type { DataRing } from './data-ring.ts';
import { HandRing } from './hand-ring.ts';
import { Writer } from './writer.ts';

const HELP = `npm run lab:data -- [options]

Counts the keys that can be read before, during and after a ring changes, on simulated VMs.
  --way coordinated|automatic|hand   who changes the ring; several times for several; default all
  --replica N                        REPLICA; default 0
  --keys N                           default 2000
  --runs N                           grows and shrinks per way; default 3
  --servers N                        before the grow; default 3
  --writer                           one writer during every change
  --crash                            a crash and a return as well
  --keep                             leaves the logs of the VMs where they are
  --stand-ins                        even when the real programs are on PATH
`;

/** One measured change. */
interface Row {
  way: string;
  change: string;
  seconds: number;
  /** The keys from before the run, those written since the grow, and the writer's. */
  keys: string;
  written: string;
  writer: string;
  note: string;
}

const WAYS = ['coordinated', 'automatic', 'hand'] as const;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      way: { type: 'string', multiple: true, default: [...WAYS] },
      replica: { type: 'string', default: '0' },
      keys: { type: 'string', default: '2000' },
      runs: { type: 'string', default: '3' },
      servers: { type: 'string', default: '3' },
      writer: { type: 'boolean', default: false },
      crash: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      'stand-ins': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const subject = resolveSubject(
    values['stand-ins'] ? {} : { ...process.env, K2HDKC_TEST_SUBJECT: 'real' },
  );
  process.stdout.write(`${subject.name}, chmpx ${subject.version}; ${values.keys} keys\n`);
  const programs = path.dirname(subject.program('chmpx'));
  const replica = Number(values.replica);
  const rows: Row[] = [];
  for (const way of WAYS.filter((one) => values.way.includes(one))) {
    const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-data-'));
    const ring =
      way === 'hand'
        ? await HandRing.open(subject, directory, replica)
        : await AgentRing.open(directory, programs, { merge: way, replica });
    try {
      await measure(ring, way, values, (row) => {
        rows.push(row);
        process.stdout.write(`${line(row)}\n`);
      });
    } catch (error) {
      process.stdout.write(`${way}: ${messageOf(error)}; see ${directory}\n`);
      await ring.close();
      continue;
    }
    await ring.close();
    if (!values.keep) await rm(directory, { recursive: true, force: true });
  }
  process.stdout.write(`\n${rows.map(line).join('\n')}\n`);
  return 0;
}

interface Amounts {
  keys: string;
  runs: string;
  servers: string;
  writer: boolean;
  crash: boolean;
}

/** Fills a ring and changes it again and again; every change becomes a row. */
async function measure(
  ring: DataRing,
  way: string,
  { keys, runs, servers, writer, crash }: Amounts,
  report: (row: Row) => void,
): Promise<void> {
  const total = Number(keys);
  const since = systemClock.monotonic();
  await ring.form(Number(servers));
  const seconds = (systemClock.monotonic() - since) / 1000;
  const acknowledged = await writeKeys(ring.tool, 'k', total);
  const blank = { way, written: '-', writer: '-', note: `${acknowledged} acknowledged` };
  const before = await readKeys(ring.tool, 'k', total);
  report({ ...blank, change: 'start', seconds, keys: `${before.found}/${total}` });
  for (let run = 1; run <= Number(runs); run += 1) {
    let fresh = 0;
    const step = async (change: string, work: () => Promise<void>): Promise<boolean> => {
      const pen = writer ? new Writer(ring.tool, `w${run}${change}`) : null;
      const start = systemClock.monotonic();
      const failure = await work().then(() => '', messageOf);
      const took = (systemClock.monotonic() - start) / 1000;
      const kept = await pen?.end();
      const old = await readKeys(ring.tool, 'k', total);
      const recent = fresh > 0 ? await readKeys(ring.tool, `n${run}.`, FRESH) : null;
      report({
        way,
        change: `${change} ${run}`,
        seconds: took,
        keys: `${old.found}/${total}`,
        written: recent ? `${recent.found}/${fresh}` : '-',
        writer: kept ? `${kept.found}/${kept.found + kept.missing + kept.failed}` : '-',
        note: failure || (pen ? `slowest write ${(pen.slowestMs / 1000).toFixed(1)} s` : ''),
      });
      return failure === '';
    };
    const grown = await step('grow', () => ring.grow());
    fresh = await writeKeys(ring.tool, `n${run}.`, FRESH);
    // A change that was undone leaves the ring as it was: it can be asked for again.
    const shrink = (change: string): Promise<boolean> => step(change, () => ring.shrink());
    if (!grown || !((await shrink('shrink')) || (await shrink('again')))) return;
    if (!crash) continue;
    await step('crash', () => ring.crash());
    await step('rejoin', () => ring.rejoin());
  }
}

/** Keys that are written after every grow. */
const FRESH = 500;

function line({ way, change, seconds, keys, written, writer, note }: Row): string {
  const cells = [
    way.padEnd(12),
    change.padEnd(10),
    `${seconds.toFixed(1)} s`.padStart(8),
    keys.padStart(14),
    written.padStart(8),
    writer.padStart(10),
    note,
  ];
  return cells.join('  ').trimEnd();
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`lab:data: ${messageOf(error)}\n`);
    process.exit(1);
  },
);
