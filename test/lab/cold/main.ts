import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { quantile } from '../../helpers/quantile.ts';
import { startBroker } from '../../peers/broker.ts';
import { Lab } from '../../peers/vm/lab.ts';
import { ClusterStage } from '../../story/cluster-stage.ts';
import { LabMachines } from '../../story/machines/lab-machines.ts';
import { print, runCommand } from '../command.ts';
import { choosePrograms } from '../programs.ts';
import { playRun, type Measured } from './run.ts';

const HELP = `npm run lab:cold -- [options]

Times how rings are made on simulated VMs, each run with new VMs: from the start of the agents, with
registration in K2HR3, until every node sees every node in service.
  --runs N         default 20
  --servers N      that start at once; default 3
  --merge MODE     coordinated (default) or automatic
  --grow           then one more server
  --crash          then a crash of chmpx, of k2hdkc, of both
  --power-cut      then all VMs are off and on again
  --slaves N       then N slaves, one after the other, each of a new VM and used at once
  --keep           leaves the logs where they are; ends with a run that is stuck
  --stand-ins      even when the real programs are on PATH
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '20' },
      servers: { type: 'string', default: '3' },
      merge: { type: 'string', default: 'coordinated' },
      grow: { type: 'boolean', default: false },
      crash: { type: 'boolean', default: false },
      'power-cut': { type: 'boolean', default: false },
      slaves: { type: 'string', default: '0' },
      keep: { type: 'boolean', default: false },
      'stand-ins': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    print(HELP);
    return 0;
  }
  const { folder, description } = choosePrograms(values['stand-ins']);
  print(`${description}; merge: ${values.merge}\n`);
  const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-cold-'));
  const broker = await startBroker(path.join(directory, 'broker'));
  const lab = await Lab.open(path.join(directory, 'lab'), { programs: folder });
  const agentYaml = `cluster:\n  merge: ${values.merge}\n`;
  const stage = await ClusterStage.open(broker, new LabMachines(lab), directory, { agentYaml });
  const results = new Map<string, (number | null)[]>();
  try {
    for (let run = 1; run <= Number(values.runs); run += 1) {
      const load = loadavg()[0] ?? 0;
      const rows = await playRun(stage, {
        servers: Number(values.servers),
        grow: values.grow,
        crash: values.crash,
        powerCut: values['power-cut'],
        slaves: Number(values.slaves),
        say: (text) => print(`${text}\n`),
        keep: values.keep,
      });
      for (const { what, seconds } of rows) {
        results.set(what, [...(results.get(what) ?? []), seconds]);
      }
      print(`${run}: ${rows.map(words).join(', ')}; load ${load.toFixed(1)}\n`);
    }
  } finally {
    await lab.close();
    await stage.close();
    await broker.stop();
    if (values.keep) print(`logs: ${directory}\n`);
    else await rm(directory, { recursive: true, force: true });
  }
  print(`\n${[...results].map(([what, seconds]) => summary(what, seconds)).join('\n')}\n`);
  return 0;
}

function words({ what, seconds }: Measured): string {
  return `${what} ${seconds === null ? 'never' : `${seconds.toFixed(2)} s`}`;
}

/** How often it ended at all, and the least, the middle and the most that it took. */
function summary(what: string, all: readonly (number | null)[]): string {
  const ended = all.filter((one) => one !== null);
  const at = (share: number): string => quantile(ended, share).toFixed(2);
  return `${what}: ${ended.length} of ${all.length}; ${at(0)} to ${at(1)} s, median ${at(0.5)} s`;
}

runCommand('lab:cold', main);
