import type { Scalar } from './keys.ts';
import type { ClusterModel, ServerNode, SlaveNode } from './model.ts';

const SLAVE_KEYS = ['SLAVE_CERT', 'SLAVE_PRIKEY'];
/** What chmpx takes in `[GLOBAL]` only when SSL is on there too, whatever the nodes say. */
const ONLY_WITH_GLOBAL_TLS = ['SSL_VERIFY_PEER', 'SERVER_CERT', 'SERVER_PRIKEY', 'NSSDB_DIR'];

/**
 * Where a ring's TLS keys do not go together. chmpx refuses each of these, and one that reloads
 * such a file leaves (chmpx 1.0.113's own reader).
 */
export function tlsProblems(model: ClusterModel): string[] {
  const { global, servers, slaves } = model;
  const get = (node: SlaveNode, key: string): Scalar | undefined =>
    node.settings.get(key) ?? global.settings.get(key);
  const isOn = (node: ServerNode): boolean => get(node, 'SSL') === true;
  const verifies = (node: ServerNode): boolean => get(node, 'SSL_VERIFY_PEER') === true;
  const ring = {
    tls: servers.some((node) => isOn(node)),
    verified: servers.some((node) => isOn(node) && verifies(node)),
  };
  return [
    ...globalProblems(model),
    ...servers.flatMap((node) => serverProblems(node, isOn(node), (key) => get(node, key))),
    ...servers.flatMap((node) => peerProblems('SVRNODE', node, ring, (key) => get(node, key))),
    ...slaves.flatMap((node) => peerProblems('SLVNODE', node, ring, (key) => get(node, key))),
  ];
}

function globalProblems({ global: { settings } }: ClusterModel): string[] {
  if (settings.get('SSL') === true) return [];
  const given = ONLY_WITH_GLOBAL_TLS.filter((key) => (settings.get(key) ?? false) !== false);
  const version = settings.get('SSL_MIN_VER') ?? 'DEFAULT';
  return [...given, ...(version === 'DEFAULT' ? [] : ['SSL_MIN_VER'])].map(
    (key) => `[GLOBAL] ${key} is given there, but [GLOBAL] SSL is not yes`,
  );
}

function serverProblems(
  { name }: ServerNode,
  tls: boolean,
  get: (key: string) => Scalar | undefined,
): string[] {
  const texts: string[] = [];
  for (const key of ['SERVER_CERT', 'SERVER_PRIKEY']) {
    const given = get(key) !== undefined;
    if (tls && !given) texts.push(`[SVRNODE] ${name} has SSL = yes, but no ${key}`);
    if (!tls && given) texts.push(`[SVRNODE] ${name} has ${key}, but SSL = no`);
  }
  if (!tls && get('SSL_VERIFY_PEER') === true) {
    texts.push(`[SVRNODE] ${name} has SSL_VERIFY_PEER = yes, but SSL = no`);
  }
  return texts;
}

/** What a node needs to connect to the ring's servers, and what it may not have. */
function peerProblems(
  section: 'SVRNODE' | 'SLVNODE',
  { name }: SlaveNode,
  ring: { tls: boolean; verified: boolean },
  get: (key: string) => Scalar | undefined,
): string[] {
  const texts: string[] = [];
  if (!ring.tls && get('CAPATH') !== undefined) {
    texts.push(`[${section}] ${name} has CAPATH, but no server has SSL = yes`);
  }
  for (const key of SLAVE_KEYS) {
    const given = get(key) !== undefined;
    if (ring.verified && !given) {
      texts.push(`[${section}] ${name} has no ${key}, but servers have SSL_VERIFY_PEER = yes`);
    }
    if (!ring.verified && given) {
      texts.push(`[${section}] ${name} has ${key}, but no server has SSL_VERIFY_PEER = yes`);
    }
  }
  return texts;
}
