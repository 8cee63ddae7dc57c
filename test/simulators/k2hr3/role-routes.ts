import { isIP } from 'node:net';
import type { Answer } from './answer.ts';
import { DONE, json, refuse, tokenNotExisted, unknownCall } from './answer.ts';
import { parseJson } from './call.ts';
import type { Call } from './call.ts';
import { parseName } from './names.ts';
import type { Name } from './names.ts';
import type { HostQuery, HostRecord, RoleToken, Store } from './store.ts';

/** `/v1/role/<role>` except `/v1/role/token/…` (docs/contracts/k2hr3.md, 1.2, rows 4 to 9). */
export function role(
  call: Call,
  store: Store,
  text: string,
  loses: (host: HostRecord) => boolean,
): Answer {
  if (call.method === 'PUT' || call.method === 'POST') return register(call, store, text, loses);
  if (call.method === 'GET') return readByUserOnly(call, text);
  if (call.method !== 'HEAD' && call.method !== 'DELETE') return unknownCall();
  if (call.sent) return withToken(call, store, text);
  const name = parseName('role', text, undefined);
  if (!name) return refuse(call, 400, 'the full yrn of the role is needed without a token');
  const found = store.findHosts(name, hostQuery(call));
  if (found.length === 0) return refuse(call, 403, 'not a member');
  if (call.method === 'DELETE') store.removeHosts(name, found);
  return DONE;
}

/** The host that a call without a token speaks for: its address, narrowed by cuk and port. */
export function hostQuery({ source, query }: Call): HostQuery {
  const port = Number(query.get('port') ?? 0);
  return { ip: source, cuk: query.get('cuk') ?? undefined, port: port === 0 ? undefined : port };
}

function register(
  call: Call,
  store: Store,
  text: string,
  loses: (host: HostRecord) => boolean,
): Answer {
  if (!call.sent) return refuse(call, 400, 'There is no x-auth-token header');
  const token = call.sent.kind === 'role' && store.findToken(call.sent.token, call.source);
  if (!token) return tokenNotExisted(call);
  const { tenant } = token.role;
  const name = parseName('role', text, tenant);
  if (name?.tenant !== tenant) {
    const message = `role(${text}) yrn has service() and tenant(${name?.tenant ?? ''}), but it is not specified service(null) and tenant(${tenant})`;
    return refuse(call, 400, message);
  }
  const host = describeHost(call, token);
  if ('status' in host) return host;
  if (!loses(host)) store.putHost(name, host);
  return json(201, { result: true, message: null });
}

/** The host to be registered; or the answer to one that K2HR3 does not take. */
function describeHost(call: Call, token: RoleToken): HostRecord | Answer {
  const value = call.method === 'POST' ? bodyReader(call.body) : queryReader(call.query);
  if (!value) return refuse(call, 400, 'POST request body does not have host');
  // In a query, what reads as JSON is taken as JSON (captures 206, 207).
  const [extra, tag] = [value('extra'), value('tag')];
  if (typeof extra !== 'string' || typeof tag !== 'string') return unknownCall(500);
  const ip = textOf(value('host'));
  if (ip !== '' && token.boundTo) {
    const message = `parameters are wrong : user=null, tenant="${token.role.tenant}"`;
    return refuse(call, 400, message);
  }
  for (const bound of ['inbound', 'outbound']) {
    const address = textOf(value(`${bound}ip`));
    if (address === '' || isIP(address) !== 0) continue;
    const message = `${call.method} request has ${bound} ip address which is not ignore ip address string: "${address}"`;
    return refuse(call, 400, message);
  }
  return {
    ip: ip === '' ? call.source : ip,
    port: Number(value('port')),
    cuk: textOf(value('cuk')),
    extra: extra === 'openstack-auto-v1' ? extra : '',
    tag,
    inboundip: textOf(value('inboundip')),
    outboundip: textOf(value('outboundip')),
  };
}

type Reader = (key: string) => unknown;

function queryReader(query: URLSearchParams): Reader {
  return (key) => {
    const text = query.get(key) ?? '';
    return (key === 'extra' || key === 'tag' ? parseJson(text) : undefined) ?? text;
  };
}

function bodyReader(body: unknown): Reader | undefined {
  const host = (body as { host?: unknown } | undefined)?.host;
  if (typeof host !== 'object' || host === null) return undefined;
  return (key) => (host as Record<string, unknown>)[key] ?? '';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Reading a role takes a user token, which no VM has (captures 047, 048). */
function readByUserOnly(call: Call, text: string): Answer {
  const message = `GET request without UserToken for getting role(${text}), need User Token.`;
  return refuse(call, 400, message);
}

/**
 * HEAD with a role token asks whether the token is valid, whatever the role in the path; DELETE
 * deletes the token, for everybody who uses it, if the caller is a member (captures 051, 101, 103,
 * 218).
 */
function withToken(call: Call, store: Store, text: string): Answer {
  const sent = call.sent?.token ?? '';
  const token = store.findToken(sent, call.source);
  if (!token) return tokenNotExisted(call);
  if (call.method === 'HEAD') return DONE;
  const name = parseName('role', text, token.role.tenant);
  if (!name || store.findHosts(name, { ip: call.source }).length === 0) {
    return refuse(call, 403, 'not a member');
  }
  store.deleteToken(sent);
  return DONE;
}

/** `GET /v1/role/token/<role>`: a token bound to the caller's address (captures 060 to 069). */
export function roleToken(
  call: Call,
  store: Store,
  text: string,
  seal: (role: Name, token: string) => string,
): Answer {
  if (call.method !== 'GET') return unknownCall();
  const old = call.sent && store.findToken(call.sent.token, call.source);
  if (call.sent && !old) return tokenNotExisted(call);
  if (old && !old.boundTo) {
    return refuse(call, 400, 'GET request ip address and role token are not same.');
  }
  const name = parseName('role', text, old?.role.tenant);
  if (!name) return refuse(call, 400, 'the full yrn of the role is needed without a token');
  const query = hostQuery(call);
  const host = old?.boundTo ?? store.findHosts(name, query)[0];
  if (!host) {
    const message = `Not found ip(${query.ip}) with port(${query.port ?? 0}) and cuk(${JSON.stringify(query.cuk)}) in tenant(${name.tenant}) + role(${name.path})`;
    return refuse(call, 404, message);
  }
  if (old) store.deleteToken(old.token);
  const { token } = store.addToken(name, host);
  const registerpath = seal(name, token);
  return json(200, { result: true, message: null, token, registerpath });
}
