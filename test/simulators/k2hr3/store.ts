import { randomBytes } from 'node:crypto';
import type { Name } from './names.ts';
import { yrn } from './names.ts';

/** One host of a role, as K2HR3 keeps it (docs/contracts/k2hr3.md, 2.4). */
export interface HostRecord {
  ip: string;
  /** 0 stands for any port. */
  port: number;
  cuk: string;
  extra: string;
  /** Stored raw, whatever it holds. */
  tag: string;
  inboundip: string;
  outboundip: string;
}

/** A role token: of the extdata kind (ten years, any address) or bound to one host's address. */
export interface RoleToken {
  token: string;
  role: Name;
  boundTo?: HostRecord;
}

/** A cluster as the control plane sets it up: two roles, two resources and one policy. */
export interface Cluster {
  cluster: string;
  tenant: string;
  serverPort: number | string;
  serverControlPort: number | string;
  slaveControlPort: number | string;
  k2hFile: string;
  slaveSoftware?: { packages?: string; vendorPackages?: string; units?: string };
  /** REPLICA; default 1. */
  replica?: number;
  /** What an operator has changed in the template. */
  change?: (expanded: string) => string;
}

/**
 * What is asked for when a host is looked up: without cuk or port any will do
 * (docs/contracts/k2hr3.md, 2.4).
 */
export interface HostQuery {
  ip: string;
  cuk?: string | undefined;
  port?: number | undefined;
}

/** What a K2HDKC behind K2HR3 would keep. Role names are full yrns in lower case. */
export class Store {
  readonly #clusters = new Map<string, Cluster>();
  #roles: ReadonlyMap<string, HostRecord[]> = new Map();
  readonly #tokens = new Map<string, RoleToken>();

  /** A cluster of the same name in the tenant is replaced; its hosts and tokens stay. */
  addCluster(cluster: Cluster): void {
    this.#clusters.set(`${cluster.tenant}/${cluster.cluster}`.toLowerCase(), cluster);
  }

  clusters(): Cluster[] {
    return [...this.#clusters.values()];
  }

  /**
   * The hosts of a role in the order of the ini: their keys sorted as strings
   * (docs/contracts/k2hr3.md, 3.2).
   */
  hosts(role: Name): HostRecord[] {
    return [...(this.#roles.get(yrn('role', role)) ?? [])].sort((a, b) =>
      hostKey(a) < hostKey(b) ? -1 : 1,
    );
  }

  /** The names of all roles that ever had a host, phantoms included. */
  roles(): string[] {
    return [...this.#roles.keys()];
  }

  /** The hosts of all roles as they are now, for `restore`. */
  snapshot(): ReadonlyMap<string, HostRecord[]> {
    return this.#roles;
  }

  /** Undoes every change of hosts since the snapshot. */
  restore(snapshot: ReadonlyMap<string, HostRecord[]>): void {
    this.#roles = snapshot;
  }

  /** Adds a host, or replaces the one with the same address, port and cuk. */
  putHost(role: Name, host: HostRecord): void {
    const others = this.hosts(role).filter((other) => hostKey(other) !== hostKey(host));
    this.#setHosts(role, [...others, host]);
  }

  findHosts(role: Name, query: HostQuery): HostRecord[] {
    return this.hosts(role).filter(
      (host) =>
        host.ip === query.ip &&
        (query.cuk === undefined || host.cuk === query.cuk) &&
        (query.port === undefined || host.port === query.port),
    );
  }

  /** Removes the hosts that are given and tells how many there were. */
  removeHosts(role: Name, hosts: HostRecord[]): number {
    const kept = this.hosts(role).filter((host) => !hosts.includes(host));
    const removed = this.hosts(role).length - kept.length;
    if (removed > 0) this.#setHosts(role, kept);
    return removed;
  }

  #setHosts(role: Name, hosts: HostRecord[]): void {
    this.#roles = new Map([...this.#roles, [yrn('role', role), hosts]]);
  }

  addToken(role: Name, boundTo?: HostRecord): RoleToken {
    const token = { token: randomBytes(32).toString('hex'), role, ...(boundTo && { boundTo }) };
    this.#tokens.set(token.token, token);
    return token;
  }

  deleteToken(token: string): void {
    this.#tokens.delete(token);
  }

  /**
   * A token that is valid for a caller at this address. One that is bound to a host dies when the
   * host is registered again or removed (docs/contracts/k2hr3.md, 2.3): then its record is no
   * longer the stored one.
   */
  findToken(token: string, ip: string): RoleToken | undefined {
    const found = this.#tokens.get(token);
    if (!found?.boundTo) return found;
    const alive = this.hosts(found.role).includes(found.boundTo);
    return alive && found.boundTo.ip === ip ? found : undefined;
  }

  /** The cluster a resource or role belongs to, when it is its `server` or `slave`. */
  clusterOf({ tenant, path }: Name): { cluster: Cluster; mode: 'SERVER' | 'SLAVE' } | undefined {
    const parts = /^(.+)\/(server|slave)$/.exec(path);
    const cluster = this.#clusters.get(`${tenant}/${parts?.[1] ?? ''}`);
    return cluster && { cluster, mode: parts?.[2] === 'server' ? 'SERVER' : 'SLAVE' };
  }
}

function hostKey({ ip, port, cuk }: HostRecord): string {
  return `${ip} ${port === 0 ? '*' : port} ${cuk}`;
}
