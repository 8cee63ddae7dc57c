import { AgentError } from '../base/errors.ts';
import { HIGHEST_PORT } from '../base/highest-port.ts';
import type { JsonObject } from './json.ts';

/** What a K2HDKC configuration group sets: the cluster to be in and how to get there. */
export interface ClusterParameters {
  /** Also chmpx's GROUP and the name of the K2HR3 resource. */
  clusterName: string;
  /** Where the registration script is; kept letter by letter, and a secret. */
  extdataUrl: string;
  serverPort?: number;
  serverControlPort?: number;
  slaveControlPort?: number;
  httpProxy?: string;
  httpsProxy?: string;
  /** Hosts that are reached without the proxy, as curl reads it. */
  noProxy?: string;
}

interface Overrides {
  parameters: ClusterParameters;
  /** One line each, about keys that are not K2HDKC's. */
  warnings: string[];
}

/** A configuration group that cannot be used. The text names every key that is wrong. */
export class OverridesError extends AgentError {
  constructor(problems: readonly string[]) {
    super(`the configuration group cannot be used: ${problems.join('; ')}`);
  }
}

const PORTS = {
  serverPort: 'chmpx-server-port',
  serverControlPort: 'chmpx-server-ctlport',
  slaveControlPort: 'chmpx-slave-ctlport',
} as const;
const PROXIES = {
  httpProxy: 'http_proxy',
  httpsProxy: 'https_proxy',
  noProxy: 'no_proxy',
} as const;
const KNOWN: ReadonlySet<string> = new Set([
  'cluster-name',
  'extdata-url',
  ...Object.values(PORTS),
  ...Object.values(PROXIES),
]);

/** It becomes part of file names and of the ini. */
const CLUSTER_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/;
/** What people and scripts write for "no proxy", in any case of letters; None is Python's. */
const NO_PROXY_WORDS: ReadonlySet<string> = new Set([
  '',
  '0',
  'false',
  'n/a',
  'no',
  'none',
  'empty',
]);

/**
 * Reads the `overrides` of prepare and update_overrides. Null when no configuration group is
 * attached (null or no keys). Throws OverridesError naming every bad key, with its value
 * unless that can be a secret.
 */
export function readOverrides(overrides: JsonObject | null): Overrides | null {
  if (overrides === null || Object.keys(overrides).length === 0) return null;
  const problems: string[] = [];
  const check = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };

  const clusterName = check(() => readClusterName(overrides['cluster-name']));
  const extdataUrl = check(() => readExtdataUrl(overrides['extdata-url']));
  const optional: Partial<ClusterParameters> = {};
  for (const [field, key] of entries(PORTS)) {
    const port = check(() => readPort(key, overrides[key]));
    if (port !== undefined) optional[field] = port;
  }
  for (const [field, key] of entries(PROXIES)) {
    const proxy = check(() => readProxy(key, overrides[key]));
    if (proxy !== undefined) optional[field] = proxy;
  }
  if (clusterName === undefined || extdataUrl === undefined || problems.length > 0) {
    throw new OverridesError(problems);
  }
  return {
    parameters: { clusterName, extdataUrl, ...optional },
    warnings: Object.keys(overrides)
      .filter((key) => !KNOWN.has(key))
      .map((key) => `${JSON.stringify(key)} is not a K2HDKC parameter and is ignored`),
  };
}

class BadValue extends Error {}

function readClusterName(value: unknown): string {
  if (isUnset(value)) throw new BadValue('cluster-name is missing');
  if (typeof value === 'string' && CLUSTER_NAME.test(value)) return value;
  throw new BadValue(
    `cluster-name = ${show(value)}: must be at most 255 letters, digits, dots, dashes or ` +
      'underscores, and not start with a dot or a dash',
  );
}

function readExtdataUrl(value: unknown): string {
  if (isUnset(value)) throw new BadValue('extdata-url is missing');
  if (
    typeof value === 'string' &&
    /^https?:\/\/[^\s\p{Cc}]+$/iu.test(value) &&
    URL.canParse(value)
  ) {
    return value;
  }
  throw new BadValue('extdata-url is not an http or https URL');
}

function readPort(key: string, value: unknown): number | undefined {
  if (isUnset(value)) return undefined;
  const port = typeof value === 'string' && /^\s*[0-9]+\s*$/.test(value) ? Number(value) : value;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1) {
    throw new BadValue(`${key} = ${show(value)}: must be a port from 1 to ${HIGHEST_PORT}`);
  }
  if (port > HIGHEST_PORT) {
    throw new BadValue(
      `${key} = ${port}: a port above ${HIGHEST_PORT} is a negative number to chmpx; ` +
        `choose one from 1 to ${HIGHEST_PORT}`,
    );
  }
  return port;
}

function readProxy(key: string, value: unknown): string | undefined {
  if (isUnset(value) || value === false || value === 0) return undefined;
  // The value is not shown: a proxy URL can hold a password.
  if (typeof value !== 'string') throw new BadValue(`${key} is not a text`);
  const text = value.trim();
  if (NO_PROXY_WORDS.has(text.toLowerCase())) return undefined;
  if (/[\s\p{Cc}]/u.test(key === 'no_proxy' ? text.replaceAll(' ', '') : text)) {
    throw new BadValue(`${key} holds white space or a control character`);
  }
  return text;
}

function isUnset(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 80 ? `${JSON.stringify(text.slice(0, 80))}…` : JSON.stringify(text);
}

function entries<T extends Record<string, string>>(object: T): [keyof T, T[keyof T]][] {
  return Object.entries(object) as [keyof T, T[keyof T]][];
}
