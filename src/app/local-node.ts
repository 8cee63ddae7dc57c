import path from 'node:path';
import type { Random } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import type { IniOverrides } from '../ini/ini-overrides.ts';
import { ControlPorts } from '../ring/control/control-ports.ts';
import { RingSight } from '../ring/sight.ts';
import { statusReader } from '../ring/status-reader.ts';
import type { AgentConfig } from '../config/schema.ts';
import { queueMessageLimit } from '../host/limits.ts';
import { mountTools } from '../host/mount-tools.ts';
import { nodeName } from '../host/node-name.ts';
import { resolveName } from '../host/resolve-name.ts';
import type { SystemUser } from '../host/system-user.ts';
import { DEFAULT_VOLUME_OPTIONS, type VolumeOptions } from '../host/volume.ts';
import { ClusterNode } from '../node/cluster-node.ts';
import { DataVolume } from '../node/data-volume.ts';
import type { DesiredStateStore } from '../node/desired-state.ts';
import { Membership, type MembershipOptions } from '../role/membership.ts';
import { listens, Neighbours } from '../ring/neighbours.ts';
import { OwnMerge } from '../ring/change/own-merge.ts';
import { KeptProgram } from '../node/programs/kept-program.ts';
import { RestartPolicy } from '../node/programs/restart-policy.ts';
import { createLauncher } from './program-launcher.ts';
import { readInstanceId } from './instance-id.ts';
import { createRingChanges, leaveLimits } from './local-ring.ts';
import { LeaveRecord } from '../ring/change/leave-record.ts';
import { readRoleDocument, type RoleDocument } from '../role/role-document.ts';
import type { RoleWish } from '../role/registration.ts';
import { RoleWatch } from '../role/role-watch.ts';
import { StartSite } from '../node/programs/start-site.ts';
import { UnreadWatch } from '../ring/watch/unread-watch.ts';
import { serverSplit } from '../ring/watch/server-split.ts';
import { slaveSplit } from '../ring/watch/slave-split.ts';
import { SplitWatch } from '../ring/watch/split-watch.ts';

/** What the node of this VM is made from. */
export interface LocalNodeOptions {
  config: AgentConfig;
  overrides: IniOverrides;
  k2hr3Ca: string | undefined;
  /** Who runs the programs; null: the user of the agent. */
  programUser: SystemUser | null;
  desired: DesiredStateStore;
  bootId: string;
  clock: Clock;
  random: Random;
  secrets: Secrets;
  log: Logger;
  /** Default: the extdata URL of the configuration group. */
  access?: NonNullable<MembershipOptions['access']>;
  /** How the data volume is made and mounted; a slave has none. */
  volume?: VolumeOptions;
  /** The role has changed. */
  onRole: () => void;
  /** A program has crashed. */
  onCrash: () => void;
}

/** The node of this VM and its parts that others need. */
export interface LocalNode {
  node: ClusterNode;
  role: RoleWatch;
  chmpx: KeptProgram;
  k2hdkc: KeptProgram;
  membership: Membership;
  volume: DataVolume;
  /** The ring by this node's chmpx. */
  sight: RingSight;
  control: ControlPorts;
  unread: UnreadWatch;
  split: SplitWatch;
}

/** After SIGKILL a process is gone at once, unless it hangs in the kernel (ms). */
const KILL_WAIT_MS = 5_000;

/** Puts together what keeps chmpx and k2hdkc on this VM. */
export async function createLocalNode(options: LocalNodeOptions): Promise<LocalNode> {
  const { config, desired, clock, random, log, secrets } = options;
  const { paths, cluster, programs, k2hr3 } = config;
  const restarts = new RestartPolicy({
    clock,
    random,
    backoff: {
      first: cluster.restart_first * 1000,
      second: cluster.restart_second * 1000,
      cap: cluster.restart_cap * 1000,
    },
    loopAfter: cluster.crashes_until_crashed,
    log,
  });
  const { launcher, inheritsLimits } = createLauncher({
    form: programs.launcher,
    directory: path.join(paths.state_dir, 'programs'),
    user: options.programUser,
    bootId: options.bootId,
    clock,
    pollMs: cluster.adopted_check_interval * 1000,
    log,
  });
  const marks = ['-conf', paths.ini_file];
  const keep = (
    name: 'chmpx' | 'k2hdkc',
    signal: NodeJS.Signals,
    more: { needs?: string; environment?: Record<string, string> } = {},
  ): KeptProgram =>
    new KeptProgram({
      name,
      command: programs[name],
      args: [...marks, '-d', 'err'],
      marks,
      ...more,
      stopSignals: [
        { signal, waitMs: cluster.stop_wait * 1000 },
        { signal: 'SIGKILL', waitMs: KILL_WAIT_MS },
      ],
      launcher,
      clock,
      log,
      onCrash: (reason) => {
        restarts.crashed(reason, name);
        options.onCrash();
      },
    });
  // chmpx ignores SIGTERM for ever; HUP ends it.
  const chmpx = keep('chmpx', 'SIGHUP');
  const k2hdkc = keep('k2hdkc', 'SIGTERM', {
    needs: 'chmpx',
    environment: { CHMDBGMODE: 'ERR' }, // else what its chmpx library complains of is not seen
  });
  const membership = new Membership({
    desired,
    http: {
      clock,
      localAddress: config.node.source_address ?? undefined,
      ca: options.k2hr3Ca,
      connectTimeoutMs: k2hr3.connect_timeout * 1000,
      totalTimeoutMs: k2hr3.total_timeout * 1000,
    },
    ...(options.access === undefined ? {} : { access: options.access }),
    cuk: () => readInstanceId(paths.instance_id_file),
    nodeName: config.node.name ?? (await nodeName()),
    filesDirectory: path.dirname(paths.ini_file),
    retry: { firstMs: k2hr3.retry_first * 1000, capMs: k2hr3.retry_cap * 1000 },
    resolve: resolveName,
    secrets,
    clock,
    random,
    log,
  });
  await membership.writeFiles();
  const queueMessages = await queueMessageLimit();
  const role = new RoleWatch({
    stateDirectory: paths.state_dir,
    desired: () => desired.current,
    read: (...reading) => membership.read(...reading),
    parse: (text, state) => parseRole(text, state, options, queueMessages),
    resolve: resolveName,
    pace: {
      settledMs: k2hr3.poll_interval * 1000,
      changingMs: k2hr3.changing_poll_interval * 1000,
      retryFirstMs: k2hr3.retry_first * 1000,
      retryCapMs: k2hr3.retry_cap * 1000,
    },
    clock,
    random,
    log,
    onChange: options.onRole,
  });
  desired.onChange(() => role.hurry());
  const control = new ControlPorts({ ownHost: cluster.control_host, clock });
  const ownMerge = new OwnMerge({
    cpuMs: { chmpx: () => chmpx.cpuMs(), k2hdkc: () => k2hdkc.cpuMs() },
    hangAfter: { first: cluster.hang_after * 1000, cap: cluster.merge_limit * 1000 },
    clock,
  });
  const sight = new RingSight({
    reader: statusReader(programs.chmpxstatus, paths.ini_file, options.programUser, log),
    ownMerge,
    ...{ clock, random, log },
  });
  const limits = leaveLimits(cluster);
  const record = new LeaveRecord({ stateDirectory: paths.state_dir, limits, clock, log });
  const changes = createRingChanges(cluster, {
    control,
    sight,
    record,
    unfinished: await record.read(),
    role: () => role.view().cuks,
    clock,
    random,
    log,
  });
  const split = new SplitWatch({
    policy: config.mode === 'slave' ? slaveSplit : serverSplit,
    listens: (server) => listens(server, clock),
    viewOf: (server, limitMs) => control.viewOf(server, limitMs),
    role: () => role.view().cuks,
    giveInAfterMs: cluster.split_after * 1000,
    clock,
  });
  const how = options.volume ?? DEFAULT_VOLUME_OPTIONS;
  const volume = new DataVolume({ desired, how, tools: mountTools(), clock, random, log });
  const unread = new UnreadWatch({ pid: () => chmpx.running?.identity.pid, clock });
  const node = new ClusterNode({
    desired,
    volume,
    chmpx,
    k2hdkc,
    restarts,
    membership,
    role,
    iniFile: paths.ini_file,
    site: new StartSite({
      iniFile: paths.ini_file,
      sharedDirectory: paths.shared_dir,
      user: options.programUser,
      controlHost: cluster.control_host,
      inheritsLimits,
      log,
    }),
    sight,
    changes,
    neighbours: new Neighbours({ clock, random, log, askLimitMs: cluster.join_after * 1000 }),
    unread,
    split,
    pollMs: cluster.changing_status_interval * 1000,
    clock,
    log,
  });
  return { node, role, chmpx, k2hdkc, membership, volume, sight, control, split, unread };
}

function parseRole(
  text: string,
  { registration, parameters }: RoleWish,
  { config, overrides }: LocalNodeOptions,
  queueMessages: number,
): RoleDocument {
  if (!registration || !parameters) throw new AgentError('no role is wanted now');
  const serverPort = parameters.serverPort ?? config.cluster.server_port;
  const serverControlPort = parameters.serverControlPort ?? config.cluster.server_control_port;
  return readRoleDocument(text, registration, {
    mode: config.mode,
    clusterName: parameters.clusterName,
    merge: config.cluster.merge,
    ...(serverPort === null ? {} : { serverPort }),
    ...(serverControlPort === null ? {} : { serverControlPort }),
    overrides,
    queueMessages,
  });
}
