import type { Answer } from './answer.ts';
import { json, refuse, resource, tokenNotExisted } from './answer.ts';
import type { Call } from './call.ts';
import { parseName, yrn } from './names.ts';
import { keysOf } from './resource-routes.ts';
import type { Store } from './store.ts';

/** What goes wrong from now on; each can be switched at any time. */
export interface Faults {
  /** The next so many registrations answer 201 and store nothing (docs/contracts/k2hr3.md, 2.7). */
  loseRegistrations: number;
  /**
   * Several workers: a registration writes the role as it was so many milliseconds before, with its
   * own host added, so that it undoes what others registered meanwhile
   * (docs/contracts/k2hr3.md, 2.7).
   */
  raceMs: number;
  /** The K2HDKC behind the API hangs: data calls wait, then fail as if the caller had no right. */
  slowUnauthorized: { delayMs: number; answer?: SlowAnswer } | undefined;
  /**
   * A read of the resource answers 200 with the value of another read
   * (docs/contracts/k2hr3.md, 7.2).
   */
  wrongBody: 'cluster-name' | 'keys-as-text' | 'keys-as-object' | undefined;
  /** Every answer breaks off in the middle of its body. */
  truncateBody: boolean;
  /** Every answer is 200 with the page of some proxy. */
  htmlPage: boolean;
  /** Every answer is late by so many milliseconds. */
  delayMs: number;
  /** The next so many connections are reset as they are made; `Infinity` for all. */
  resetConnections: number;
}

/** What a read with a valid token answers after a stall (capture backend-stall.txt). */
export type SlowAnswer = 'token-not-existed' | 'no-data' | 'no-access' | 'no-policy';

export function noFaults(): Faults {
  return {
    loseRegistrations: 0,
    raceMs: 0,
    slowUnauthorized: undefined,
    wrongBody: undefined,
    truncateBody: false,
    htmlPage: false,
    delayMs: 0,
    resetConnections: 0,
  };
}

/** Whether a call needs the K2HDKC behind K2HR3; the others answer as ever while it hangs. */
export function needsBackend({ path }: Call): boolean {
  return path.startsWith('/v1/') && !path.startsWith('/v1/extdata/');
}

/** The answer to a data call while the backend hangs (docs/contracts/k2hr3.md, 7.1). */
export function slowAnswer(call: Call, store: Store, kind: SlowAnswer | undefined): Answer {
  if (!call.sent) return refuse(call, call.method === 'GET' ? 404 : 403, 'not a member');
  const token = store.findToken(call.sent.token, call.source);
  const text = /^\/v1\/resource\/(.+)$/.exec(call.path)?.[1];
  const name = token && text ? parseName('resource', text, token.role.tenant) : undefined;
  if (!token || !name || call.method !== 'GET') return tokenNotExisted(call);
  const by = `role(${token.role.path}) in tenant(${token.role.tenant})`;
  const full = yrn('resource', name);
  switch (kind) {
    case 'no-data':
      return refuse(call, 404, `Could not get resource data for resource yrn: ${full}`);
    case 'no-access':
      return refuse(call, 404, `${by} does not allow to read access to resource(${full}).`);
    case 'no-policy':
      return refuse(call, 404, `could not get ${by} policy data.`);
    case 'token-not-existed':
    case undefined:
      return tokenNotExisted(call);
  }
}

/** What `wrongBody` makes of a successful read of the resource. */
export function wrongBody(call: Call, store: Store, kind: Faults['wrongBody']): Answer {
  const name = parseName('resource', call.path.replace('/v1/resource/', ''), undefined);
  const keys = name ? keysOf(store, name) : {};
  if (kind === 'cluster-name') return resource(keys['cluster-name'] ?? '');
  return resource(kind === 'keys-as-text' ? JSON.stringify(keys) : keys);
}

/** The page of a proxy that stands in for K2HR3. */
export function htmlPage(): Answer {
  const page = '<!DOCTYPE html><html><body><h1>Service is being maintained</h1></body></html>\n';
  return { ...json(200, {}), body: Buffer.from(page), headers: { 'content-type': 'text/html' } };
}
