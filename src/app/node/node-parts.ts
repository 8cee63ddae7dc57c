import { mountTools, runTool } from '../../host/mount-tools.ts';
import { DEFAULT_VOLUME_OPTIONS, type VolumeOptions } from '../../host/mount-volume.ts';
import { ClusterNode } from '../../node/cluster-node.ts';
import { DataVolume } from '../../node/data-volume.ts';
import type { DesiredStateStore } from '../../node/desired-state.ts';
import { forwards } from '../../network/forwarding.ts';
import { RouteKeeper } from '../../network/route-keeper.ts';
import { createNodePrograms, type NodePrograms } from './node-programs.ts';
import { createNodeRing, type NodeRing } from './node-ring.ts';
import { createNodeRole, type NodeRole, type NodeRoleOptions } from './node-role.ts';
import type { NodeSettings } from '../settings.ts';
import type { World } from '../world.ts';

/** What the node of this VM is made from. */
export interface NodePartsOptions extends World {
  settings: NodeSettings;
  desired: DesiredStateStore;
  bootId: string;
  access?: NodeRoleOptions['access'];
  /** How the data volume is made and mounted; a slave has none. */
  volume?: VolumeOptions | undefined;
  /** The role has changed. */
  onRole: () => void;
  /** A program has crashed. */
  onCrash: () => void;
}

/** The node of this VM and its parts that others need. */
export interface NodeParts extends NodePrograms, NodeRole, NodeRing {
  /** By which this VM answers through the port that was asked. */
  routes: RouteKeeper;
  node: ClusterNode;
  volume: DataVolume;
}

/** Puts together the node of this VM: its programs, its role, its ring and its data volume. */
export async function createNodeParts(options: NodePartsOptions): Promise<NodeParts> {
  const { settings, desired, clock, random, log } = options;
  const { paths, cluster } = settings.agent;
  const programs = createNodePrograms(options);
  const role = await createNodeRole(options);
  const ring = await createNodeRing({ ...options, programs, role: role.role });
  const how = options.volume ?? DEFAULT_VOLUME_OPTIONS;
  const volume = new DataVolume({ desired, how, tools: mountTools(), clock, random, log });
  const routes = createRoutes(options, role);
  const parts = { ...programs, ...role, ...ring, volume, routes };
  const node = new ClusterNode({
    ...parts,
    desired,
    iniFile: paths.ini_file,
    pollMs: cluster.changing_status_interval * 1000,
    clock,
    log,
  });
  return { ...parts, node };
}

function createRoutes(
  { settings, desired, clock, log }: NodePartsOptions,
  { place }: Pick<NodeRole, 'place'>,
): RouteKeeper {
  const { node, cluster } = settings.agent;
  return new RouteKeeper({
    isWanted: node.source_routing,
    async network() {
      await place.look();
      return place.view.network;
    },
    userPort: settings.trove.userPort,
    ringPorts() {
      const { parameters } = desired.current;
      const ports = [
        parameters?.serverPort ?? cluster.server_port,
        parameters?.serverControlPort ?? cluster.server_control_port,
      ];
      return ports.filter((port) => port !== null);
    },
    read: runTool,
    change: mountTools().run,
    forwards,
    clock,
    log,
  });
}
