import { ringWords } from '../../../src/ring/words.ts';
import { sleep, systemClock } from '../../../src/base/clock.ts';
import { until } from '../../helpers/until.ts';
import type { ClusterMember } from '../../story/cluster-member.ts';
import { CLUSTER, type ClusterStage } from '../../story/cluster-stage.ts';
import { playSlaves } from './slaves.ts';

/** What one run does besides making the ring. */
export interface RunOptions {
  servers: number;
  grow: boolean;
  crash: boolean;
  powerCut: boolean;
  /** So many slaves are made, one after the other, and used. */
  slaves: number;
  /** Tells a person what was not measured. */
  say: (text: string) => void;
  /** A run that does not end keeps its VMs. */
  keep: boolean;
}

/** How long something took; null when it did not end in time. */
export interface Measured {
  what: string;
  seconds: number | null;
}

/** What takes longer is stuck (s). */
const LIMIT_S = 150;
/** After a change agents read the role fast for 30 s: a grow and slaves come when they do not (ms). */
const SLOW_AFTER_MS = 35_000;
/** In service once is not final (ms). */
const WATCHED_MS = 10_000;
const CRASHES = [['chmpx'], ['k2hdkc'], ['k2hdkc', 'chmpx']] as const;
/** Once is not enough: chmpxstatus still shows a program that has just died as if it served (ms). */
const HOLDS_MS = 2_000;
/** Between two looks (ms): each is a process per node. */
const LOOK_MS = 100;

/** Makes a ring of new VMs, does to it what was asked for, and takes it down. */
export async function playRun(stage: ClusterStage, options: RunOptions): Promise<Measured[]> {
  const rows: Measured[] = [];
  const measure: Measure = async (what, since, done) => {
    let first: number | null = null;
    const held = async (): Promise<number | null> => {
      first = (await done()) ? (first ?? systemClock.monotonic()) : null;
      return first !== null && systemClock.monotonic() - first >= HOLDS_MS ? first : null;
    };
    const ended = await until(what, held, { seconds: LIMIT_S, everyMs: LOOK_MS }).catch(() => null);
    rows.push({ what, seconds: ended === null ? null : (ended - since) / 1000 });
    return ended !== null;
  };
  if (!(await play(stage, options, measure)) && options.keep) {
    throw new Error(`stuck: ${await views(stage)}`);
  }
  if (options.slaves > 0) {
    await sleep(systemClock, SLOW_AFTER_MS);
    rows.push(...(await playSlaves(stage, options.slaves, options.say)));
  }
  for (const node of [...stage.nodes]) {
    await node.endAgent('SIGKILL');
    await stage.deleteServer(node);
  }
  return rows;
}

/** False when something did not end. */
async function play(stage: ClusterStage, options: RunOptions, measure: Measure): Promise<boolean> {
  const made = await startServers(stage, options.servers);
  if (!(await measure('start', made, () => allServe(stage)))) return false;
  for (const node of stage.nodes) await stage.clusterComplete(node);
  if (options.grow && !(await grow(stage, measure))) return false;
  if (options.crash && !(await crash(stage, measure))) return false;
  if (!options.powerCut) return true;
  await Promise.all(stage.nodes.map((node) => node.reboot()));
  return measure('power cut', systemClock.monotonic(), () => allServe(stage));
}

type Probe = () => Promise<boolean>;
type Measure = (what: string, since: number, done: Probe) => Promise<boolean>;

/** Creates servers; the moment at which the first agent was started (ms, monotonic). */
async function startServers(stage: ClusterStage, count: number): Promise<number> {
  const started: number[] = [];
  await stage.createInstances(count, {
    startAgent: (node) => {
      started.push(systemClock.monotonic());
      return node.startAgent();
    },
  });
  return Math.min(...started);
}

/** One more server; also how long after its registration every node's chmpx lists it. */
async function grow(stage: ClusterStage, measure: Measure): Promise<boolean> {
  await sleep(systemClock, SLOW_AFTER_MS);
  const count = stage.nodes.length + 1;
  const old = [...stage.nodes];
  let registered = 0;
  const registration = until('it is registered', () => stage.k2hr3.hosts(CLUSTER).length >= count, {
    everyMs: 10,
  }).then(() => (registered = systemClock.monotonic()));
  const created = startServers(stage, 1);
  await registration;
  const listed = async (): Promise<boolean> => {
    const rings = await Promise.all(old.map((node) => node.ring()));
    return rings.every((ring) => ring?.servers.length === count);
  };
  const known = measure('role change on every node', registered, listed);
  const grown = await measure('registered to all in', registered, () => allServe(stage));
  await created;
  return (await known) && grown;
}

async function crash(stage: ClusterStage, measure: Measure): Promise<boolean> {
  for (const [index, programs] of CRASHES.entries()) {
    await sleep(systemClock, WATCHED_MS);
    // Another one each time: the second crash of a node within a minute is not restarted at once.
    const victim = stage.nodes.at(index % stage.nodes.length);
    if (!victim) return false;
    const since = systemClock.monotonic();
    for (const name of programs) await victim.kill(name);
    // What chmpxstatus still shows of the dead must not count.
    const back = async (): Promise<boolean> =>
      (await runs(victim)) && (await victim.seesServing(stage.nodes.length));
    if (!(await measure(`crash of ${programs.join(' and ')}`, since, back))) return false;
    await until('all serve', () => allServe(stage), { seconds: LIMIT_S });
  }
  return true;
}

async function runs(node: ClusterMember): Promise<boolean> {
  return (
    (await node.program('chmpx')) !== undefined && (await node.program('k2hdkc')) !== undefined
  );
}

/** Who sees what, for a person. */
async function views({ nodes }: ClusterStage): Promise<string> {
  const seen = nodes.map(async (node) => {
    const ring = await node.ring();
    return `${node.name} sees ${ring ? ringWords(ring) : 'nothing'}`;
  });
  return (await Promise.all(seen)).join('; ');
}

async function allServe({ nodes }: ClusterStage): Promise<boolean> {
  const seen = await Promise.all(nodes.map((node) => node.seesServing(nodes.length)));
  return seen.every(Boolean);
}
