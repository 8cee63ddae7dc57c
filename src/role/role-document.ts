import path from 'node:path';
import {
  describeOverrides,
  NO_OVERRIDES,
  overrideProblems,
  withOverrides,
  type IniOverrides,
} from '../ini/model/ini-overrides.ts';
import { forNode, type ClusterModel } from '../ini/model/model.ts';
import { oneEntryPerSlave } from '../ini/model/namesakes.ts';
import { nodeIni, type NodeIni } from '../ini/text/node-ini.ts';
import { ledByAgents, withLongQueues } from '../ini/start/own-globals.ts';
import { parseRole } from '../ini/text/parse-role.ts';
import { firstProblems, notSane as notSaneProblem, type Problem } from '../ini/model/problems.ts';
import { roleDataFile, rolePathProblems, type RoleFolders } from '../ini/model/role-paths.ts';
import { validateRole } from '../ini/model/validate.ts';
import { RoleRefusedError } from './role-refused.ts';
import type { K2hTarget } from '../backup/restore/restore-load.ts';
import { k2hTargetOf } from './k2h-target.ts';
import type { Registration } from './registration.ts';
import type { MergeMode } from '../ring/merge-mode.ts';
import type { Neighbour } from '../ring/neighbours.ts';

/** A role resource that was read, checked and found sane. */
export interface RoleDocument {
  /**
   * The ini for this node, with what the operator and the agent set; null when the ring does not hold
   * it, so that it must register.
   */
  ini: NodeIni | null;
  /** The names of the servers in the ring's order. */
  servers: string[];
  /** The servers besides this node. */
  neighbours: Neighbour[];
  /** The CUKs of all servers. */
  cuks: ReadonlySet<string>;
  /** The folder of K2HFILE, which k2hdkc does not make itself; null when there is none. */
  dataDirectory: string | null;
  /** That file, for a restore; null when the data is in memory only. */
  k2h: K2hTarget | null;
  /** K2HFILE as the role itself names it; null when it does not, or agent.yaml names another. */
  roleFile: string | null;
}

/** What the role must agree with, and what the operator sets in its place. */
export interface RoleExpectations {
  /** Default server. */
  mode?: 'server' | 'slave';
  /** Empty: that of the role, which K2HR3 keeps in small letters. */
  clusterName: string;
  /** Whose business merges are: chmpx does nothing of its own when they are the agents'. */
  merge?: MergeMode;
  serverPort?: number;
  serverControlPort?: number;
  overrides?: IniOverrides;
  /** Where the role may have its data file. */
  folders: RoleFolders;
  /** fs.mqueue.msg_max; default 0, unknown. */
  queueMessages?: number;
}

/**
 * Makes a document of the role resource's text: other people's input until it is parsed into the
 * model and validated.
 *
 * @throws RoleRefusedError with all reasons in one line.
 */
export function readRoleDocument(
  text: string,
  registration: Registration,
  expectations: RoleExpectations,
): RoleDocument {
  const {
    mode = 'server',
    overrides = NO_OVERRIDES,
    queueMessages = 0,
    folders,
    ...expected
  } = expectations;
  const reading = parseRole(text);
  if (!reading.ok) throw refused(reading.problems);
  const model = withOverrides(reading.model, overrides);
  const { cuk, roleName } = registration;
  const named = mode === 'slave' ? { ...reading.model, k2hdkc: undefined } : reading.model;
  const problems = [
    ...rolePathProblems(named, overrides, folders).map(notSaneProblem),
    ...overrideProblems(model, overrides).map(notSaneProblem),
    ...validateRole(model, {
      ...expected,
      clusterName: expected.clusterName || clusterOfRole(roleName, model.global.group),
      cuk,
      mode,
    }),
  ];
  const notSane = problems.filter(({ kind }) => kind === 'not-sane');
  if (notSane.length > 0) throw refused(notSane);
  const servers = model.servers.map(({ name }) => name);
  const cuks = new Set(model.servers.map((server) => server.cuk));
  const roleFile = roleDataFile(named, overrides);
  if (problems.length > 0) {
    const none = { ini: null, neighbours: [], dataDirectory: null, k2h: null };
    return { ...none, servers, cuks, roleFile };
  }
  const led = expectations.merge === 'coordinated' ? ledByAgents(model) : model;
  const asked = mode === 'server' ? withLongQueues(led, queueMessages, overrides.global) : led;
  const ini = nodeIni(oneEntryPerSlave(forNode(asked, cuk), cuk), {
    origin: roleName.replace(':role:', ':resource:'),
    overridden: describeOverrides(overrides),
  });
  const file = model.k2hdkc?.get('K2HFILE');
  const dataDirectory = typeof file === 'string' ? path.dirname(file) : null;
  return {
    ini,
    servers,
    cuks,
    roleFile,
    dataDirectory,
    k2h: model.k2hdkc ? k2hTargetOf(model.k2hdkc) : null,
    neighbours: neighboursOf(model, cuk),
  };
}

/** `yrn:…:role:mycluster/slave` is of MyCluster too. */
function clusterOfRole(roleName: string, group: string): string {
  const name = /:role:([^/]+)/.exec(roleName)?.[1] ?? '';
  return group.toLowerCase() === name ? group : name;
}

function neighboursOf({ servers }: ClusterModel, cuk: string): Neighbour[] {
  const own = servers.findIndex((server) => server.cuk === cuk);
  return servers
    .map(({ name, controlPort }, at) => ({ name, controlPort, before: at < own }))
    .filter((_, at) => at !== own);
}

function refused(problems: Problem[]): RoleRefusedError {
  const texts = firstProblems(problems).map(({ text }) => text);
  return new RoleRefusedError(texts.join('; '));
}
