import { refusedByK2hdkc } from './combinations.ts';
import {
  effective,
  serverOf,
  slaveOf,
  type ClusterModel,
  type ServerNode,
  type SlaveNode,
} from './model.ts';
import { firstProblems, notSane, shown, type Problem } from './problems.ts';
import { tlsProblems } from './tls-problems.ts';
import { SELF_PLACEHOLDER } from './values.ts';

/** What this node knows about itself and its cluster without asking K2HR3. */
export interface Expected {
  /** GROUP must be this name. */
  clusterName: string;
  /** This VM's instance id. */
  cuk: string;
  /** PORT of this node, when it was configured. */
  serverPort?: number;
  /** CTLPORT of this node, when it was configured. */
  serverControlPort?: number;
  mode: 'server' | 'slave';
}

/**
 * Whether a role can be published for this node: whether it is sane (docs/contracts/k2hr3.md, 8.4),
 * and nothing in it makes chmpx refuse it, or accept it and then not work (docs/contracts/ini.md, 4
 * and 5). No problems means yes. `not-registered` only comes alone: a document that is not sane
 * says nothing about who is registered.
 */
export function validateRole(model: ClusterModel, expected: Expected): Problem[] {
  const problems = [
    ...globalProblems(model, expected),
    ...ringProblems(model, expected),
    ...tlsProblems(model),
    ...k2hdkcProblems(model, expected),
    ...selfProblems(model, expected),
  ].map(notSane);
  if (problems.length > 0) return firstProblems(problems);
  const [section, self] =
    expected.mode === 'slave'
      ? ['SLVNODE', slaveOf(model, expected.cuk)]
      : ['SVRNODE', serverOf(model, expected.cuk)];
  if (self) return [];
  const text = `[${section}] none has CUK = ${shown(expected.cuk)}: this node is not registered`;
  return [{ kind: 'not-registered', text }];
}

function globalProblems({ global }: ClusterModel, expected: Expected): string[] {
  const texts: string[] = [];
  if (global.group !== expected.clusterName) {
    const name = shown(expected.clusterName);
    texts.push(`[GLOBAL] GROUP = ${shown(global.group)} is not the cluster's name ${name}`);
  }
  if (global.group.includes('/')) {
    texts.push(`[GLOBAL] GROUP = ${shown(global.group)} has a /, and chmpx makes file names of it`);
  }
  if (global.mode !== expected.mode.toUpperCase()) {
    texts.push(`[GLOBAL] MODE = ${global.mode} is not ${expected.mode.toUpperCase()}`);
  }
  if (global.selfCuk !== SELF_PLACEHOLDER && global.selfCuk !== expected.cuk) {
    texts.push(`[GLOBAL] SELFCUK = ${shown(global.selfCuk)} is another node's`);
  }
  if (effective('GLOBAL', global.settings, 'MQACK') !== false) {
    texts.push('[GLOBAL] MQACK = yes (its default): k2hdkc only starts with no');
  }
  return texts;
}

/** What chmpx starts with although the ring cannot work: it merges or mixes up equal nodes. */
function ringProblems({ global, servers, slaves }: ClusterModel, { mode }: Expected): string[] {
  const texts: string[] = [];
  // For a server an empty ring only means that it is not registered, nor is anybody else.
  if (servers.length === 0 && mode === 'slave') texts.push('[SVRNODE] there is none');
  if (slaves.length === 0) texts.push('[SLVNODE] there is none, and chmpx wants a dummy at least');
  texts.push(
    ...repeated('CUK', servers, (node) => node.cuk),
    ...repeated('CUSTOM_ID_SEED', servers, (node) => node.seed),
    ...repeated('NAME:CTLPORT', servers, (node) => `${node.name}:${node.controlPort}`),
  );
  if (global.idType === 'CUSTOM') {
    for (const node of servers) {
      if (node.seed !== undefined) continue;
      texts.push(`[SVRNODE] ${node.name} has no CUSTOM_ID_SEED, and CHMPXIDTYPE is CUSTOM`);
    }
  }
  if (global.idType.startsWith('CTL')) {
    const wanted = (node: SlaveNode, section: string, keys: string[]): string[] =>
      keys
        .filter((key) => !node.settings.has(key))
        .map((key) => `[${section}] ${node.name} has no ${key}, and CHMPXIDTYPE is made of them`);
    texts.push(
      ...servers.flatMap((node) => wanted(node, 'SVRNODE', ['ENDPOINTS', 'CTLENDPOINTS'])),
      ...slaves.flatMap((node) => wanted(node, 'SLVNODE', ['CTLENDPOINTS'])),
    );
  }
  if (global.idType === 'CUK') {
    for (const node of slaves) {
      if (node.cuk !== undefined) continue;
      texts.push(`[SLVNODE] ${node.name} has no CUK, and CHMPXIDTYPE is CUK`);
    }
  }
  return texts;
}

function repeated(
  key: string,
  nodes: readonly ServerNode[],
  valueOf: (node: ServerNode) => string | undefined,
): string[] {
  const texts: string[] = [];
  const seen = new Set<string>();
  for (const node of nodes) {
    const value = valueOf(node);
    if (value === undefined) continue;
    if (seen.has(value)) texts.push(`[SVRNODE] ${key} = ${shown(value)} is given to two nodes`);
    seen.add(value);
  }
  return texts;
}

function k2hdkcProblems({ k2hdkc }: ClusterModel, { mode }: Expected): string[] {
  if (k2hdkc === undefined) return mode === 'server' ? ['[K2HDKC] is missing'] : [];
  const texts: string[] = [];
  if (k2hdkc.get('K2HTYPE') === 'file' && !k2hdkc.has('K2HFILE')) {
    texts.push('[K2HDKC] K2HTYPE = file, but no K2HFILE');
  }
  const get = (key: string) => effective('K2HDKC', k2hdkc, key);
  texts.push(...refusedByK2hdkc(get).map((text) => `[K2HDKC] ${text}`));
  return texts;
}

/** chmpx finds itself by local host, CTLPORT = SELFCTLPORT and CUK = SELFCUK, or does not start. */
function selfProblems(model: ClusterModel, expected: Expected): string[] {
  if (expected.mode === 'slave') return slaveSelfProblems(model, expected);
  const texts: string[] = [];
  const { selfControlPort } = model.global;
  const { serverControlPort = selfControlPort, serverPort } = expected;
  if (selfControlPort !== serverControlPort) {
    texts.push(
      `[GLOBAL] SELFCTLPORT = ${selfControlPort} is not the ${serverControlPort} configured`,
    );
  }
  const self = serverOf(model, expected.cuk);
  if (self === undefined) return texts;
  if (self.controlPort !== selfControlPort) {
    texts.push(`[SVRNODE] ${self.name}: CTLPORT = ${self.controlPort} is not SELFCTLPORT`);
  }
  if (serverPort !== undefined && self.port !== serverPort) {
    texts.push(`[SVRNODE] ${self.name}: PORT = ${self.port} is not the ${serverPort} configured`);
  }
  return texts;
}

/** The same for a slave, which also needs an id of its own (seen on chmpx 1.0.113). */
function slaveSelfProblems(model: ClusterModel, { cuk }: Expected): string[] {
  const { global } = model;
  const self = slaveOf(model, cuk);
  if (self === undefined) return [];
  const texts: string[] = [];
  if (self.controlPort !== global.selfControlPort) {
    texts.push(`[SLVNODE] ${self.name}: CTLPORT = ${self.controlPort} is not SELFCTLPORT`);
  }
  if (global.idType === 'CUSTOM' && self.seed === undefined) {
    texts.push(`[SLVNODE] ${self.name} has no CUSTOM_ID_SEED, and CHMPXIDTYPE is CUSTOM`);
  }
  return texts;
}
