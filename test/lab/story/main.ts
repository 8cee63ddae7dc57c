import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../../src/base/errors.ts';
import { quantile } from '../../helpers/quantile.ts';
import { startBroker, type Broker } from '../../peers/broker.ts';
import { Lab } from '../../peers/vm/lab.ts';
import { ClusterStage } from '../../story/cluster-stage.ts';
import { playClusterStory } from '../../story/cluster-story.ts';
import { LabMachines } from '../../story/machines/lab-machines.ts';
import { Timeline } from '../../story/timeline.ts';
import { print, runCommand } from '../command.ts';
import { choosePrograms } from '../programs.ts';
import { startBusyLoops } from '../busy.ts';

const HELP = `npm run lab:story -- [options]

Plays the cluster's story again and again on simulated VMs, and says how long each step took. Of a run
that fails the disks and logs stay where they are.
  --runs N         default 30
  --busy N         loops beside it that keep a core busy each; default 0
  --outage N       seconds for which K2HR3 is away; default 60
  --keys N         default 500
  --keep           the same of runs that pass
  --stand-ins      even when the real programs are on PATH
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '30' },
      busy: { type: 'string', default: '0' },
      outage: { type: 'string', default: '60' },
      keys: { type: 'string', default: '500' },
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
  const runs = Number(values.runs);
  print(`${description}; ${values.busy} busy loops\n`);
  const peers = await mkdtemp(path.join(tmpdir(), 'k2hdkc-story-'));
  const broker = await startBroker(path.join(peers, 'broker'));
  const endLoops = startBusyLoops(Number(values.busy));
  const seconds = new Map<string, number[]>();
  let failed = 0;
  try {
    for (let run = 1; run <= runs; run += 1) {
      const how = {
        outageSeconds: Number(values.outage),
        keys: Number(values.keys),
        keep: values.keep,
      };
      const timeline = await playOnce(broker, folder, how);
      for (const row of timeline.rows.filter(({ ok }) => ok)) {
        seconds.set(row.title, [...(seconds.get(row.title) ?? []), row.seconds]);
      }
      if (!timeline.ok) failed += 1;
      const load = (loadavg()[0] ?? 0).toFixed(1);
      print(`run ${run}: ${timeline.ok ? 'ok' : 'FAILED'}, load ${load}\n`);
    }
  } finally {
    await endLoops();
    await broker.stop();
    await rm(peers, { recursive: true, force: true });
  }
  print(`\n${runs - failed} of ${runs} passed; seconds, least, middle and most\n`);
  print([...seconds].map(([title, all]) => `${summary(title, all)}\n`).join(''));
  return failed === 0 ? 0 : 1;
}

/** Plays the story once, on VMs of its own. */
async function playOnce(
  broker: Broker,
  programs: string,
  how: { outageSeconds: number; keys: number; keep: boolean },
): Promise<Timeline> {
  const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-story-run-'));
  const lab = await Lab.open(path.join(directory, 'lab'), { programs });
  const timeline = new Timeline(() => undefined);
  const stage = await ClusterStage.open(broker, new LabMachines(lab), directory, {
    logFormat: 'json',
  });
  try {
    await playClusterStory(stage, timeline, how);
  } catch (error) {
    print(`${timeline.table()}\n${messageOf(error)}\n`);
  } finally {
    await lab.close();
    await stage.close();
  }
  if (timeline.ok && !how.keep) await rm(directory, { recursive: true, force: true });
  else print(`logs: ${directory}\n`);
  return timeline;
}

function summary(title: string, all: readonly number[]): string {
  const at = (share: number): string => quantile(all, share).toFixed(1).padStart(6);
  return `${at(0)} ${at(0.5)} ${at(1)}  ${title} (${all.length})`;
}

runCommand('lab:story', main);
