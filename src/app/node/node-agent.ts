import { Reconciler } from '../../node/reconciler.ts';
import type { AgentState } from '../agent-state.ts';
import { createNodeParts, type NodeParts, type NodePartsOptions } from './node-parts.ts';
import { createNodeWatch, type NodeWatch, type NodeWatchOptions } from './node-watch.ts';
import { reconcilerTimes } from './reconciler-times.ts';
import type { Part } from '../running.ts';
import type { World } from '../world.ts';

/** What is common to all agents is made from. */
export interface NodeAgentOptions
  extends World, Pick<NodePartsOptions, 'settings' | 'access' | 'volume'> {
  state: AgentState;
  /** Of this agent. */
  version: string;
  /** Called after every look at the node. */
  onLook: () => void;
  /** See NodeWatchOptions. */
  concerns?: NodeWatchOptions['concerns'];
}

/** What the agent of a server and that of a slave have in common: the node of this VM, kept. */
export interface NodeAgent extends NodeParts {
  reconciler: Reconciler;
  /** What is to run as long as the agent does. */
  parts: Part[];
  /** Takes up what an earlier agent has left: the last good role, and the programs that run. */
  takeUp(): Promise<void>;
}

/** Puts together what keeps the node of this VM as it should be, and watches it. */
export async function createNodeAgent(options: NodeAgentOptions): Promise<NodeAgent> {
  const { settings, state, version, onLook, concerns, ...more } = options;
  const { clock, random, secrets, log } = more;
  const { desired, bootId } = state;
  const { agent: config } = settings;
  const node = await createNodeParts({
    ...more,
    settings,
    desired,
    bootId,
    onRole: () => reconciler.wake(),
    onCrash: () => reconciler.interrupt(),
  });
  const reconciler: Reconciler = new Reconciler({
    desired,
    node: node.node,
    times: reconcilerTimes(config.cluster),
    clock,
    random,
    log,
    onLook: () => {
      onLook();
      watch.look();
    },
  });
  const watch: NodeWatch = createNodeWatch({
    config,
    version,
    node,
    reconciler,
    concerns,
    clock,
    random,
    secrets,
    log,
  });
  return {
    ...node,
    reconciler,
    parts: [reconciler, node.role, node.routes, watch],
    async takeUp() {
      await node.role.restore(desired.current.phase === 'preparing');
      await node.chmpx.adopt(desired.current.generation);
      if (config.mode !== 'slave') await node.k2hdkc.adopt(desired.current.generation);
    },
  };
}
