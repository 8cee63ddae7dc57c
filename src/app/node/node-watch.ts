import type { AgentConfig } from '../../config/schema.ts';
import type { Reconciler, Snapshot } from '../../node/reconciler.ts';
import { statusOf } from '../../guest/report/status-of.ts';
import { ConcernKeeper, type Concern } from '../../ring/watch/concern-keeper.ts';
import type { Finding } from '../../ring/watch/concerns.ts';
import { RingWatch } from '../../ring/watch/ring-watch.ts';
import { statusDocument } from '../../node/status-document.ts';
import { StatusFile } from '../../node/status-file.ts';
import { whatWaits } from '../../node/waits.ts';
import type { NodeParts } from './node-parts.ts';
import type { World } from '../world.ts';

/** What the watch of this VM's node is made from. */
export interface NodeWatchOptions extends World {
  config: AgentConfig;
  /** Of this agent. */
  version: string;
  node: Pick<
    NodeParts,
    | 'sight'
    | 'control'
    | 'role'
    | 'place'
    | 'routes'
    | 'chmpx'
    | 'k2hdkc'
    | 'split'
    | 'refusals'
    | 'unread'
  >;
  reconciler: Pick<Reconciler, 'snapshot' | 'wake'>;
  /** What concerns a person beside the ring. Default: nothing. */
  concerns?: (() => Concern[]) | undefined;
}

/** The watch of this VM's node, and the file that keeps what it sees. */
export interface NodeWatch {
  /** Watches until `signal` aborts, and ends with what was seen last on disk. */
  run(signal: AbortSignal): Promise<void>;
  /** Keeps the status, if it has changed, until `run` ends. To be called after every look at the node. */
  look(): void;
}

/** A slave is nothing that Trove knows. */
function troveStatus(snapshot: Snapshot | null, { mode }: AgentConfig): string | null {
  if (snapshot === null || mode === 'slave') return null;
  return statusOf(snapshot.desired, snapshot.observed);
}

/** DHCP may take its time after a boot, and systems configure their ports again (ms). */
const NETWORK_MS = 60_000;

function networkFindings({ place, routes }: NodeWatchOptions['node']): Finding[] {
  const { problem } = place.view;
  const all = { 'place of the ring': problem, routes: routes.problem };
  return Object.entries(all).flatMap(([subject, text]) =>
    text === null ? [] : [{ kind: 'network', subject, text, patienceMs: NETWORK_MS }],
  );
}

/** Puts together what watches the ring of this VM's node. A slave asks no peers: there are many. */
export function createNodeWatch(options: NodeWatchOptions): NodeWatch {
  const { config, version, node, reconciler, clock, random, secrets, log } = options;
  const isoNow = (): string => new Date(clock.wall()).toISOString();
  const file = new StatusFile({ stateDirectory: config.paths.state_dir, clock, secrets, log });
  const agent = { version, pid: process.pid, since: isoNow() };
  let state: string | undefined;
  let stateSince = agent.since;
  const beside = new ConcernKeeper(clock, log);
  const watch = new RingWatch({
    isUp: () => node.chmpx.running !== null,
    sight: node.sight,
    role: () => node.role.view(),
    viewOf:
      config.mode === 'slave' ? null : (server, limitMs) => node.control.viewOf(server, limitMs),
    // A server's workers wait long and rightly while k2hdkc is busy with a merge.
    unread: config.mode === 'slave' ? node.unread : null,
    split: node.split,
    refusals: node.refusals,
    times: {
      mergeMs: config.cluster.merge_limit * 1000,
      startMs: config.cluster.start_timeout * 1000,
    },
    onChange: () => reconciler.wake(),
    onLook: () => {
      look();
      // Those of one side are to be gone at the same time.
      if (node.split.giveIn !== null || node.refusals?.giveIn) reconciler.wake();
    },
    clock,
    random,
    log,
  });
  function look(): void {
    const { snapshot } = reconciler;
    if (snapshot?.state !== state) stateSince = isoNow();
    state = snapshot?.state;
    beside.look([...node.role.findings(), ...networkFindings(node), ...whatWaits(snapshot)]);
    const pidOf = ({ running }: NodeParts['chmpx']): number | null => running?.identity.pid ?? null;
    file.show(
      statusDocument({
        agent,
        mode: config.mode,
        trove: troveStatus(snapshot, config),
        snapshot,
        stateSince,
        programs: { chmpx: pidOf(node.chmpx), k2hdkc: pidOf(node.k2hdkc) },
        place: node.place.view,
        ring: watch.ring,
        concerns: [...watch.concerns, ...beside.concerns, ...(options.concerns?.() ?? [])],
      }),
    );
  }
  return {
    async run(signal) {
      await watch.run(signal);
      await file.end();
    },
    look,
  };
}
