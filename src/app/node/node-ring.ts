import { roleReadMs } from '../../role/role-pace.ts';
import type { RoleWatch } from '../../role/role-watch.ts';
import { OwnMerge } from '../../ring/change/own-merge.ts';
import { LeaveRecord } from '../../ring/change/leave-record.ts';
import type { RingChanges } from '../../ring/change/ring-changes.ts';
import { ControlPorts } from '../../ring/control/control-ports.ts';
import { listens, Neighbours } from '../../ring/neighbours.ts';
import { RingMembers } from '../../ring/ring-members.ts';
import { RingSight } from '../../ring/sight.ts';
import { statusReader } from '../../ring/status-reader.ts';
import { Refusals, type RefusalsOptions } from '../../ring/watch/refusals.ts';
import { serverSplit } from '../../ring/watch/server-split.ts';
import { slaveSplit } from '../../ring/watch/slave-split.ts';
import { SplitWatch } from '../../ring/watch/split-watch.ts';
import { UnreadWatch } from '../../ring/watch/unread-watch.ts';
import type { NodePrograms } from './node-programs.ts';
import { createRingChanges, leaveLimits } from './node-ring-changes.ts';
import type { NodeSettings } from '../settings.ts';
import type { World } from '../world.ts';

/** What sees and changes the ring of this VM's node is made from. */
export interface NodeRingOptions extends World {
  settings: Pick<NodeSettings, 'agent' | 'programUser'>;
  programs: Pick<NodePrograms, 'chmpx' | 'k2hdkc'>;
  role: Pick<RoleWatch, 'view'>;
}

/** The ring of this VM's node: what sees it, and what changes it. */
export interface NodeRing {
  /** The ring by this node's chmpx. */
  sight: RingSight;
  control: ControlPorts;
  changes: RingChanges;
  members: RingMembers;
  neighbours: Neighbours;
  split: SplitWatch;
  /** Null on a server. */
  refusals: Refusals | null;
  unread: UnreadWatch;
}

/** Puts together what sees and changes the ring of this VM's node. */
export async function createNodeRing(options: NodeRingOptions): Promise<NodeRing> {
  const { settings, programs, role, clock, random, log } = options;
  const { chmpx, k2hdkc } = programs;
  const { mode, cluster, k2hr3, paths, programs: commands } = settings.agent;
  const control = new ControlPorts({ ownHost: cluster.control_host, clock });
  const ownMerge = new OwnMerge({
    cpuMs: { chmpx: () => chmpx.cpuMs(), k2hdkc: () => k2hdkc.cpuMs() },
    hangAfter: { first: cluster.hang_after * 1000, cap: cluster.merge_limit * 1000 },
    clock,
  });
  const sight = new RingSight({
    reader: statusReader(commands.chmpxstatus, paths.ini_file, settings.programUser, log),
    ownMerge,
    clock,
    random,
    log,
  });
  const limits = leaveLimits(cluster);
  const record = new LeaveRecord({ stateDirectory: paths.state_dir, limits, clock, log });
  const servers = (): ReadonlySet<string> => role.view().cuks;
  const changes = createRingChanges(cluster, {
    control,
    sight,
    record,
    unfinished: await record.read(),
    role: servers,
    clock,
    random,
    log,
  });
  const members = new RingMembers({ stateDirectory: paths.state_dir, log });
  await members.read();
  const asks: RefusalsOptions = {
    listens: (server) => listens(server, clock),
    viewOf: (server, limitMs) => control.viewOf(server, limitMs),
    role: servers,
    clock,
  };
  const refusals = mode === 'slave' ? new Refusals(asks) : null;
  const split = new SplitWatch({
    policy: mode === 'slave' ? slaveSplit : serverSplit,
    ...asks,
    // A slave loses in a cut whom it has met.
    role: () => refusals?.metOf(servers()) ?? servers(),
    giveInAfterMs: cluster.split_after * 1000,
  });
  return {
    sight,
    control,
    changes,
    members,
    neighbours: new Neighbours({
      clock,
      random,
      log,
      askLimitMs: cluster.join_after * 1000,
      roleReadMs: (count) => roleReadMs(k2hr3.poll_interval * 1000, count),
    }),
    split,
    refusals,
    unread: new UnreadWatch({ pid: () => chmpx.running?.identity.pid, clock }),
  };
}
