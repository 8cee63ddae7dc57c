import path from 'node:path';
import { AgentError } from '../../base/errors.ts';
import { readPorts } from '../../network/ports.ts';
import { RingPlace } from '../../network/ring-place.ts';
import { queueMessageLimit } from '../../host/limits.ts';
import { nodeName } from '../../host/node-name.ts';
import { whyOutside } from '../../host/held-folder.ts';
import { hasAddress } from '../../network/source-address.ts';
import { nameOfAddress, resolveName } from '../../host/resolve-name.ts';
import { withVolume } from '../../node/data-folders.ts';
import { overriddenPaths } from '../../ini/model/ini-overrides.ts';
import type { DesiredStateStore } from '../../node/desired-state.ts';
import { Membership, type MembershipOptions } from '../../role/membership.ts';
import { parametersKey, type RoleWish } from '../../role/registration.ts';
import { readRoleDocument, type RoleDocument } from '../../role/role-document.ts';
import { RoleWatch } from '../../role/role-watch.ts';
import { readInstanceId } from './instance-id.ts';
import type { NodeSettings } from '../settings.ts';
import type { World } from '../world.ts';

/** What connects this VM's node with its role in K2HR3 is made from. */
export interface NodeRoleOptions extends World {
  settings: Pick<NodeSettings, 'agent' | 'overrides' | 'k2hr3Ca' | 'dataFolders' | 'trove'>;
  desired: DesiredStateStore;
  /** Default: the extdata URL of the configuration group. */
  access?: NonNullable<MembershipOptions['access']> | undefined;
  /** The role has changed. */
  onRole: () => void;
}

/** This VM's node in its role. */
export interface NodeRole {
  membership: Membership;
  role: RoleWatch;
  /** Where the ring is, as this VM's networks are. */
  place: RingPlace;
}

/** Puts together what registers this VM in its role, and what follows the role. */
export async function createNodeRole(options: NodeRoleOptions): Promise<NodeRole> {
  const { settings, desired, access, clock, random, secrets, log } = options;
  const { paths, node, k2hr3 } = settings.agent;
  const place = new RingPlace({
    node,
    ...settings.trove,
    readPorts,
    hostName: nodeName,
    resolve: resolveName,
    nameOf: nameOfAddress,
    ...{ clock, log },
  });
  const retry = { firstMs: k2hr3.retry_first * 1000, capMs: k2hr3.retry_cap * 1000 };
  const membership = new Membership({
    desired,
    http: {
      clock,
      localAddress: node.source_address ?? undefined,
      ca: settings.k2hr3Ca,
      connectTimeoutMs: k2hr3.connect_timeout * 1000,
      totalTimeoutMs: k2hr3.total_timeout * 1000,
    },
    ...(access === undefined ? {} : { access }),
    cuk: () => readInstanceId(paths.instance_id_file, desired.current.registration?.cuk),
    nodeName: () => place.registeredName(),
    sourceAddress: (...call) => place.sourceAddress(...call),
    hasAddress: (address) => node.source_address !== null || hasAddress(address),
    filesDirectory: path.dirname(paths.ini_file),
    retry,
    resolve: resolveName,
    secrets,
    clock,
    random,
    log,
  });
  await membership.writeFiles();
  const queueMessages = await queueMessageLimit();
  const dataFolders = (): readonly string[] =>
    withVolume(settings.dataFolders, desired.current.volume).all;
  const role = new RoleWatch({
    stateDirectory: paths.state_dir,
    desired: () => desired.current,
    read: (...reading) => membership.read(...reading),
    parse: (text, wish) =>
      parseRole(text, wish, settings, { dataFolders: dataFolders(), queueMessages }),
    resolve: resolveName,
    loopback: place.isOnLoopback,
    whyMisplaced: (...server) => place.whyMisplaced(...server),
    whyOutside: (file) => whyOutside(file, dataFolders()),
    pace: {
      settledMs: k2hr3.poll_interval * 1000,
      changingMs: k2hr3.changing_poll_interval * 1000,
      retryFirstMs: retry.firstMs,
      retryCapMs: retry.capMs,
    },
    clock,
    random,
    log,
    onChange: options.onRole,
  });
  desired.onChange(() => role.hurry());
  return { membership, role, place };
}

/**
 * The ports of the role's parameters come before those of agent.yaml. A node that leaves this role, for
 * another or none, has no parameters of it any more: its ports are what the document says.
 */
function parseRole(
  text: string,
  { registration, parameters }: RoleWish,
  { agent: { mode, cluster, paths }, overrides }: NodeRoleOptions['settings'],
  { dataFolders, queueMessages }: { dataFolders: readonly string[]; queueMessages: number },
): RoleDocument {
  if (!registration) throw new AgentError('no role is wanted now');
  const isOfRole = registration.parametersKey === parametersKey(parameters);
  const serverPort = parameters?.serverPort ?? cluster.server_port;
  const serverControlPort = parameters?.serverControlPort ?? cluster.server_control_port;
  return readRoleDocument(text, registration, {
    mode,
    clusterName: isOfRole && parameters ? parameters.clusterName : '',
    merge: cluster.merge,
    ...(isOfRole && serverPort !== null ? { serverPort } : {}),
    ...(isOfRole && serverControlPort !== null ? { serverControlPort } : {}),
    overrides,
    folders: {
      allowed: dataFolders,
      closed: [
        ...[paths.state_dir, paths.markers_dir, path.dirname(paths.ini_file)],
        ...overriddenPaths(overrides).map(({ path: file }) => file),
      ],
      shared: paths.shared_dir,
    },
    queueMessages,
  });
}
