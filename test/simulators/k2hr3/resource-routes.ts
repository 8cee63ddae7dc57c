import type { Answer } from './answer.ts';
import { DONE, refuse, resource, tokenNotExisted, unknownCall } from './answer.ts';
import type { Call } from './call.ts';
import { parseName, yrn } from './names.ts';
import type { Name } from './names.ts';
import { roleResource } from './role-resource.ts';
import { hostQuery } from './role-routes.ts';
import type { HostRecord, Store } from './store.ts';

/** `/v1/resource/<resource>` (docs/contracts/k2hr3.md, 1.2, rows 12 to 14). */
export function roleResourceRoute(call: Call, store: Store, text: string): Answer {
  const reader = call.sent ? readerByToken(call, store) : readerByAddress(call, store);
  if ('status' in reader) return reader;
  const name = parseName('resource', text, reader.tenant);
  if (name?.tenant !== reader.tenant) {
    const message = `Request query has wrong yrn full path(tenant=${name?.tenant ?? ''}) to resource(tenant=${reader.tenant})`;
    return refuse(call, 400, message);
  }
  if (call.method === 'PUT' || call.method === 'POST') {
    const message = `could not create resource("${name.path}") for tenant("${name.tenant}"), role("${reader.path}")`;
    return refuse(call, 400, message);
  }
  if (call.method !== 'GET' && call.method !== 'HEAD') return unknownCall();
  const answer = read(call, store, reader, name);
  if (call.method === 'GET') return answer;
  return answer.status === 200 ? DONE : refuse(call, answer.status === 400 ? 400 : 403, '');
}

function readerByToken(call: Call, store: Store): Name | Answer {
  const { sent, query } = call;
  const token = sent?.kind === 'role' ? store.findToken(sent.token, call.source) : undefined;
  if (!token) return tokenNotExisted(call);
  if (!query.has('role') && !query.has('cuk') && !query.has('port')) return token.role;
  const shown = ['port', 'cuk', 'role'].map(
    (key) => `${key}=${JSON.stringify(query.get(key) ?? undefined)}`,
  );
  const message = `GET resource:port/cuk/role field is specified, but it is not allowed by no token : ${shown.join(', ')}`;
  return refuse(call, 400, message);
}

function readerByAddress(call: Call, store: Store): Name | Answer {
  const name = parseName('role', call.query.get('role') ?? '', undefined);
  if (!name) return refuse(call, 400, 'GET request does not have role yrn in post data.');
  const query = hostQuery(call);
  if (store.findHosts(name, query).length > 0) return name;
  const message = `ip:port("${query.ip}":${query.port ?? 0}) is not role("${yrn('role', name)}") member.`;
  return refuse(call, 404, message);
}

function read(call: Call, store: Store, reader: Name, name: Name): Answer {
  const type = call.query.get('type') ?? 'string';
  const key = call.query.get('keyname');
  if (!['string', 'object', 'keys'].includes(type)) {
    return refuse(call, 400, `GET request type(${type}) parameter is wrong.`);
  }
  if (type === 'keys' && key === null) {
    const message = 'GET request type=keys, but keyname(undefined) parameter is empty.';
    return refuse(call, 400, message);
  }
  const shown = `resource(${yrn('resource', name)})`;
  const by = `role(${reader.path}) in tenant(${reader.tenant})`;
  const found = store.clusterOf(name);
  if (!found || store.clusterOf(reader)?.cluster !== found.cluster) {
    return refuse(call, 404, `${by} does not allow to read access to ${shown}.`);
  }
  const { cluster, mode } = found;
  if (type === 'string') {
    const hosts = (part: string): HostRecord[] =>
      store.hosts({ ...name, path: name.path.replace(/[^/]+$/, part) });
    const text = roleResource(cluster, mode, hosts('server'), hosts('slave'));
    return resource(cluster.change?.(text) ?? text);
  }
  const value = type === 'keys' ? keysOf(store, name)[key ?? ''] : undefined;
  if (value !== undefined) return resource(value);
  const what = type === 'keys' ? `keys[${key ?? ''}]` : type;
  return refuse(call, 404, `${shown} by ${by} does not have value for type(${what}) data.`);
}

/** The keys of a cluster's resource, its parent's included (docs/contracts/k2hr3.md, 5.1). */
export function keysOf(store: Store, name: Name): Record<string, string | number> {
  const found = store.clusterOf(name);
  if (!found) return {};
  const {
    packages = '',
    vendorPackages = '',
    units = '',
  } = found.mode === 'SLAVE' ? (found.cluster.slaveSoftware ?? {}) : {};
  return {
    'cluster-name': found.cluster.cluster,
    'chmpx-server-port': found.cluster.serverPort,
    'chmpx-server-ctlport': found.cluster.serverControlPort,
    'chmpx-slave-ctlport': found.cluster.slaveControlPort,
    'chmpx-mode': found.mode,
    'k2hr3-init-packages': packages,
    'k2hr3-init-packagecloud-packages': vendorPackages,
    'k2hr3-init-systemd-packages': units,
  };
}
