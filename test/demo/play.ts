import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { versionOf } from '../conformance/subject.ts';
import { startBroker, type Broker } from '../peers/broker.ts';
import { ClusterStage } from '../story/cluster-stage.ts';
import { playClusterStory } from '../story/cluster-story.ts';
import { openMachines } from '../story/machines/open.ts';
import { playNodeStory } from '../story/node-story.ts';
import { realPrograms, standIns, type Programs } from '../story/programs.ts';
import { Stage } from '../story/stage.ts';
import type { Timeline } from '../story/timeline.ts';
import type { Opened } from './opened.ts';

/** How the demo is played. */
export interface PlayOptions {
  /** Stand-ins even when the real programs are on PATH. */
  standIns: boolean;
  /** The cluster's nodes share this machine, whatever it permits. */
  loopback: boolean;
  print: (line: string) => void;
}

/** How long K2HR3 is away in the cluster's story, in seconds. */
const OUTAGE_S = 60;
/** How many keys the cluster's story writes. */
const KEYS = 200;

/** Plays one node's whole life, then a cluster's. Everything that is opened goes into `opened`. */
export async function play(
  directory: string,
  { standIns: forced, loopback, print }: PlayOptions,
  timeline: Timeline,
  opened: Opened,
): Promise<void> {
  const programs = forced || loopback ? await standIns(directory) : await choosePrograms(directory);
  printPrograms(programs, print);
  let broker: Broker | undefined;
  await timeline.step('a private RabbitMQ', async () => {
    broker = opened.add(await startBroker(path.join(directory, 'broker')), (one) => one.stop());
    return `listens on 127.0.0.1:${broker.description.port}`;
  });
  if (!broker) throw new Error('no broker');
  const stage = await openStage(broker, directory, programs, timeline, opened);
  await playNodeStory(stage, timeline);
  const cluster = await openCluster(broker, { directory, programs, loopback, print }, opened);
  await playClusterStory(cluster, timeline, { outageSeconds: OUTAGE_S, keys: KEYS });
}

async function openStage(
  broker: Broker,
  directory: string,
  programs: Programs,
  timeline: Timeline,
  opened: Opened,
): Promise<Stage> {
  let stage: Stage | undefined;
  await timeline.step('Trove conductor and client, K2HR3 stand-in', async () => {
    stage = opened.add(await Stage.open(broker, directory, programs), (one) => one.close());
    return `real Trove on sqlite; K2HR3 at ${stage.k2hr3.url}`;
  });
  if (!stage) throw new Error('no stage');
  return stage;
}

async function openCluster(
  broker: Broker,
  {
    directory: parent,
    programs,
    loopback,
    print,
  }: { directory: string; programs: Programs; loopback: boolean } & Pick<PlayOptions, 'print'>,
  opened: Opened,
): Promise<ClusterStage> {
  const directory = path.join(parent, 'cluster');
  await mkdir(directory);
  const machines = await openMachines(path.join(directory, 'machines'), programs, { loopback });
  opened.add(machines, (one) => one.close());
  print(`\nA cluster on ${machines.description}`);
  const stage = await ClusterStage.open(broker, machines, directory);
  return opened.add(stage, (one) => one.close());
}

async function choosePrograms(directory: string): Promise<Programs> {
  try {
    return await realPrograms();
  } catch {
    return standIns(directory); // they are not on PATH
  }
}

function printPrograms({ kind, program }: Programs, print: PlayOptions['print']): void {
  if (kind === 'stand-ins') {
    print('chmpx and k2hdkc: stand-ins (test/simulators/antpickax)');
    return;
  }
  for (const name of ['chmpx', 'k2hdkc'] as const) {
    const command = program(name);
    const { version, commit } = versionOf(command);
    print(`${name}: real, version ${version} (${commit}), ${command}`);
  }
}
