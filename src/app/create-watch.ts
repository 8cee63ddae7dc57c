import type { Random } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import type { AgentConfig } from '../config/schema.ts';
import type { LocalNode } from './local-node.ts';
import type { Reconciler, Snapshot } from '../node/reconciler.ts';
import { statusOf } from '../guest/report/status-of.ts';
import { RingWatch } from '../ring/watch/ring-watch.ts';
import { statusDocument } from '../node/status-document.ts';
import { StatusFile } from '../node/status-file.ts';

/** What the watch of this VM's node is made from. */
export interface NodeWatchOptions {
  config: AgentConfig;
  /** Of this agent. */
  version: string;
  local: Pick<LocalNode, 'sight' | 'control' | 'role' | 'chmpx' | 'k2hdkc' | 'split' | 'unread'>;
  reconciler: Reconciler;
  clock: Clock;
  random: Random;
  secrets: Secrets;
  log: Logger;
}

/** The watch of this VM's node, and the file that keeps what it sees. */
export interface NodeWatch {
  /** Watches until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Keeps the status, if it has changed. To be called after every look at the node. */
  look(): void;
}

/** A slave is nothing that Trove knows. */
function troveStatus(snapshot: Snapshot | null, { mode, cluster }: AgentConfig): string | null {
  if (snapshot === null || mode === 'slave') return null;
  return statusOf(snapshot.desired, snapshot.observed, cluster.crashes_until_crashed);
}

/** Puts together what watches the ring of this VM's node. A slave asks no peers: there are many. */
export function createNodeWatch(options: NodeWatchOptions): NodeWatch {
  const { config, version, local, reconciler, clock, random, secrets, log } = options;
  const isoNow = (): string => new Date(clock.wall()).toISOString();
  const file = new StatusFile({ stateDirectory: config.paths.state_dir, clock, secrets, log });
  const agent = { version, pid: process.pid, since: isoNow() };
  let state: string | undefined;
  let stateSince = agent.since;
  const watch = new RingWatch({
    isUp: () => local.chmpx.running !== null,
    sight: local.sight,
    role: () => local.role.view(),
    viewOf:
      config.mode === 'slave' ? null : (server, limitMs) => local.control.viewOf(server, limitMs),
    // A server's workers wait long and rightly while k2hdkc is busy with a merge.
    unread: config.mode === 'slave' ? local.unread : null,
    split: local.split,
    times: {
      mergeMs: config.cluster.merge_limit * 1000,
      startMs: config.cluster.start_timeout * 1000,
    },
    onChange: () => reconciler.wake(),
    onLook: () => {
      look();
      // Those of one side are to be gone at the same time.
      if (local.split.giveIn !== null) reconciler.wake();
    },
    ...{ clock, random, log },
  });
  function look(): void {
    const { snapshot } = reconciler;
    if (snapshot?.state !== state) stateSince = isoNow();
    state = snapshot?.state;
    const pidOf = ({ running }: LocalNode['chmpx']): number | null => running?.identity.pid ?? null;
    file.show(
      statusDocument({
        agent,
        mode: config.mode,
        trove: troveStatus(snapshot, config),
        snapshot,
        stateSince,
        programs: { chmpx: pidOf(local.chmpx), k2hdkc: pidOf(local.k2hdkc) },
        ring: watch.ring,
        concerns: watch.concerns,
      }),
    );
  }
  return { run: (signal) => watch.run(signal), look };
}
