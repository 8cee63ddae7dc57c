import { sleep } from '../../base/clock.ts';
import { isStopped } from '../../node/plan/wants.ts';
import { SlaveSoftware } from '../../node/programs/slave-software.ts';
import { openAgentState, type AgentState } from '../agent-state.ts';
import type { AgentOptions } from '../server/server-agent.ts';
import { createNodeAgent, type NodeAgent } from '../node/node-agent.ts';
import { runParts, type Agent } from '../running.ts';
import type { NodeSettings } from '../settings.ts';
import type { SlaveSource } from './slave-source.ts';
import { slaveWish } from './slave-wish.ts';
import type { World } from '../world.ts';

/** What the agent of a slave is given. */
export interface SlaveAgentOptions extends Omit<AgentOptions, 'settings'> {
  settings: NodeSettings;
  source: SlaveSource;
}

/** The agent of a slave; `stop` ends it alone, `leave` takes the node out of the cluster first. */
export interface SlaveAgent extends Agent {
  leave(): Promise<void>;
}

/**
 * The composition root of a slave: what keeps the node of this VM, and what a slave adds to it, which
 * is the software of its role. It wants to be in the cluster for as long as it runs.
 */
export async function startSlaveAgent(options: SlaveAgentOptions): Promise<SlaveAgent> {
  const { settings, source, version, ...world } = options;
  const { secrets, log } = world;
  secrets.add('configuration', source.secret);
  const state = await openAgentState(settings.agent.paths.state_dir);
  const err = await state.desired.assume(slaveWish(state.desired.current, settings.agent, source));
  if (err !== undefined) log.warn({ err }, 'what this slave is to be is not on disk');

  let step = '';
  const node: NodeAgent = await createNodeAgent({
    ...world,
    settings,
    version,
    state,
    access: source.access,
    onLook: () => {
      const progress = node.reconciler.progress();
      if (progress !== step) log.info({ now: progress }, 'slave');
      step = progress;
    },
  });
  const software = createSoftware(node, state, options);

  await node.takeUp();
  const ending = new AbortController();
  const running = runParts([...node.parts, software], ending);
  log.info({ mode: 'slave' }, 'agent started');

  const end = async (): Promise<void> => {
    await running.end();
    await state.unlock();
  };
  return {
    failed: running.failed,
    async stop() {
      log.info('agent stops; chmpx runs on and the node stays registered');
      await end();
    },
    async leave() {
      const limitMs = settings.agent.slave.leave_timeout * 1000;
      await leaveCluster(node, state, { ...world, limitMs, signal: ending.signal });
      await end();
    },
  };
}

function createSoftware(
  { node, membership, reconciler }: NodeAgent,
  { desired }: AgentState,
  { settings, clock, random, log }: SlaveAgentOptions,
): SlaveSoftware {
  return new SlaveSoftware({
    desired,
    readKey: (...key) => membership.readKey(...key),
    install: settings.agent.slave.install_packages,
    onInstalled: () => {
      node.startAfresh();
      reconciler.wake();
    },
    clock,
    random,
    log,
  });
}

/** Resolves when this node is out of the cluster, or that has taken too long. */
async function leaveCluster(
  { reconciler }: Pick<NodeAgent, 'reconciler'>,
  { desired }: Pick<AgentState, 'desired'>,
  { clock, log, limitMs, signal }: World & { limitMs: number; signal: AbortSignal },
): Promise<void> {
  log.info('this node leaves the cluster');
  await reconciler.wish({ parameters: null });
  const gone = reconciler
    .until(({ observed }) => isStopped(observed) && desired.current.registration === null)
    .then(() => true);
  const late = sleep(clock, limitMs, signal).then(() => false);
  if (await Promise.race([gone, late])) log.info('this node has left the cluster');
  else {
    const problem = reconciler.progress();
    log.error({ problem }, 'leaving took too long; what is left is cleaned up at the next start');
  }
  gone.catch(() => undefined); // the reconciler ends before it is true
}
