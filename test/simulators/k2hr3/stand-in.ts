import http from 'node:http';
import https from 'node:https';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { sleep, systemClock } from '../../../src/base/clock.ts';
import { send } from './answer.ts';
import type { Answer } from './answer.ts';
import { readCall } from './call.ts';
import type { Call } from './call.ts';
import { htmlPage, needsBackend, noFaults, slowAnswer, wrongBody } from './faults.ts';
import type { Faults } from './faults.ts';
import { yrn } from './names.ts';
import { newPassphrase, sealRegisterPath } from './register-path.ts';
import { route } from './routes.ts';
import { Store } from './store.ts';
import type { Cluster, HostRecord } from './store.ts';

export interface StandInOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0, a free port. */
  port?: number;
  /** PEM texts; with them it speaks https. */
  tls?: { key: string; cert: string };
}

/** What the control plane chooses when it sets a cluster up. */
export interface NewCluster {
  cluster: string;
  /** Default `tenant0`. */
  tenant?: string;
  serverPort: number | string;
  serverControlPort: number | string;
  slaveControlPort: number | string;
  /** Default /var/lib/antpickax/k2hdkc/k2hdkc.k2h. */
  k2hFile?: string;
  /** The keys k2hr3-init-… of the slave role, as lists with commas. Default empty. */
  slaveSoftware?: { packages?: string; vendorPackages?: string; units?: string };
  /** REPLICA; default 1. */
  replica?: number;
}

/** What the control plane hands out for one role of a cluster. */
export interface RoleHandout {
  extdataUrl: string;
  /** What the user data of a VM includes. */
  userdataUrl: string;
  roleToken: string;
  /** Full yrn. */
  roleName: string;
}

/** A call that was answered; no token and no register path in it. */
export interface LoggedRequest {
  method: string;
  /** With the query. */
  path: string;
  /** Undefined while it waits, and for good when the caller went away. */
  status: number | undefined;
  sourceAddress: string;
  token: 'none' | 'role' | 'user';
}

/** A K2HR3 for tests and the demo, as unkind as the real one (docs/contracts/k2hr3.md, 7). */
export class K2hr3StandIn {
  /** What goes wrong from now on. */
  readonly faults: Faults = noFaults();
  /** All calls, oldest first. */
  readonly requests: LoggedRequest[] = [];
  readonly #store = new Store();
  readonly #passphrase = newPassphrase();
  readonly #stopped = new AbortController();
  readonly #server: http.Server;
  readonly #scheme: string;
  readonly #host: string;
  #port: number;
  #advertised: string | undefined;

  constructor({ host = '127.0.0.1', port = 0, tls }: StandInOptions) {
    const answer = (incoming: http.IncomingMessage, outgoing: http.ServerResponse): void => {
      this.#serve(incoming, outgoing).catch(() => outgoing.destroy());
    };
    this.#server = tls ? https.createServer(tls, answer) : http.createServer(answer);
    this.#server.keepAliveTimeout = 5000; // as Express does (docs/contracts/k2hr3.md, 8.11)
    this.#server.on('connection', (socket) => {
      if (this.faults.resetConnections <= 0) return;
      this.faults.resetConnections -= 1;
      socket.resetAndDestroy();
    });
    this.#scheme = tls ? 'https' : 'http';
    this.#host = host;
    this.#port = port;
  }

  /** `http://host:port`, as in everything that it hands out. */
  get url(): string {
    return this.#advertised ?? `${this.#scheme}://${this.#host}:${this.#port}`;
  }

  /** Serves a connection that arrived elsewhere, such as in another network namespace. */
  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  /** What it calls itself from now on: the `http://host:port` by which others reach `accept`. */
  advertise(url: string): void {
    this.#advertised = url;
  }

  /** Does what the dashboard does for a new cluster (docs/contracts/k2hr3.md, 5.1). */
  addCluster(asked: NewCluster): RoleHandout & { cluster: string; slave: RoleHandout } {
    const cluster: Cluster = {
      tenant: 'tenant0',
      k2hFile: '/var/lib/antpickax/k2hdkc/k2hdkc.k2h',
      ...asked,
    };
    this.#store.addCluster(cluster);
    return {
      cluster: cluster.cluster,
      ...this.#handOut(cluster, 'server'),
      slave: this.#handOut(cluster, 'slave'),
    };
  }

  /** An operator changes the cluster's template: what it expands to, from now on. */
  changeTemplate(cluster: string, change: (expanded: string) => string): void {
    for (const one of this.#store.clusters()) if (one.cluster === cluster) one.change = change;
  }

  /** The hosts of a cluster's role in the order of the ini. */
  hosts(cluster: string, part: 'server' | 'slave' = 'server'): HostRecord[] {
    return this.#store.hosts(this.#roleOf(cluster, part));
  }

  /** Registers a host that no VM has asked for; only address, cuk and tag must be given. */
  addHost(
    cluster: string,
    host: Pick<HostRecord, 'ip' | 'cuk' | 'tag'> & Partial<HostRecord>,
    part: 'server' | 'slave' = 'server',
  ): void {
    const blank = { port: 0, extra: 'openstack-auto-v1', inboundip: '', outboundip: '' };
    this.#store.putHost(this.#roleOf(cluster, part), { ...blank, ...host });
  }

  /** Takes the hosts with this cuk out, as K2HR3's listener does; tells how many there were. */
  removeHost(cluster: string, cuk: string, part: 'server' | 'slave' = 'server'): number {
    const role = this.#roleOf(cluster, part);
    const found = this.#store.hosts(role).filter((host) => host.cuk === cuk);
    return this.#store.removeHosts(role, found);
  }

  /** The user revokes a role token, for everybody who has it. */
  revokeToken(token: string): void {
    this.#store.deleteToken(token);
  }

  /** Full yrns of all roles that ever had a host: shows registrations that went to a phantom. */
  roles(): string[] {
    return this.#store.roles();
  }

  /** Connections are refused from now on, and those that stand are cut. */
  async goDown(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** Listens again, on the same port. */
  async comeBack(): Promise<void> {
    if (this.#server.listening) return;
    this.#server.listen(this.#port, this.#host);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Ends everything; a call that waits is cut. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.goDown();
  }

  async #serve(incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> {
    const call = await readCall(incoming);
    const logged: LoggedRequest = {
      method: call.method,
      path: withoutSecrets(incoming.url ?? ''),
      status: undefined,
      sourceAddress: call.source,
      token: call.sent?.kind ?? 'none',
    };
    this.requests.push(logged);
    const answer = await this.#answer(call);
    if (outgoing.destroyed) return;
    send(outgoing, call, answer, this.faults.truncateBody);
    logged.status = outgoing.statusCode;
  }

  async #answer(call: Call): Promise<Answer> {
    const { faults } = this;
    const { slowUnauthorized: slow } = faults;
    const isSlow = slow !== undefined && needsBackend(call);
    const delayMs = isSlow ? slow.delayMs : faults.delayMs;
    if (delayMs > 0) await sleep(systemClock, delayMs, this.#stopped.signal);
    if (faults.htmlPage) return htmlPage();
    if (isSlow) return slowAnswer(call, this.#store, slow.answer);
    if (faults.raceMs > 0 && call.method === 'PUT') {
      const seen = this.#store.snapshot();
      await sleep(systemClock, faults.raceMs, this.#stopped.signal);
      this.#store.restore(seen);
    }
    const answer = route(call, {
      store: this.#store,
      passphrase: this.#passphrase,
      apiUri: this.url,
      faults,
    });
    const isRead = call.method === 'GET' && call.path.startsWith('/v1/resource/');
    if (!faults.wrongBody || !isRead || answer.status !== 200) return answer;
    return wrongBody(call, this.#store, faults.wrongBody);
  }

  #handOut({ tenant, cluster }: Cluster, part: 'server' | 'slave'): RoleHandout {
    const name = { tenant, path: `${cluster.toLowerCase()}/${part}` };
    const { token } = this.#store.addToken(name);
    const role = yrn('role', name);
    const path = sealRegisterPath(this.#passphrase, { role, token });
    return {
      extdataUrl: `${this.url}/v1/extdata/trove/${path}`,
      userdataUrl: `${this.url}/v1/userdata/${path}`,
      roleToken: token,
      roleName: role,
    };
  }

  #roleOf(cluster: string, part: string): { tenant: string; path: string } {
    const found = this.#store.clusters().find((known) => known.cluster === cluster);
    if (!found) throw new Error(`the K2HR3 stand-in has no cluster ${cluster}`);
    return { tenant: found.tenant, path: `${cluster.toLowerCase()}/${part}` };
  }
}

/** Starts a K2HR3 stand-in in this process. */
export async function startK2hr3(options: StandInOptions = {}): Promise<K2hr3StandIn> {
  const standIn = new K2hr3StandIn(options);
  await standIn.comeBack();
  return standIn;
}

function withoutSecrets(path: string): string {
  return path
    .replace(/^(\/v1\/(?:extdata\/[^/]+|userdata)\/).*/, '$1[registerpath]')
    .replaceAll(/[0-9a-f]{64}/gi, '[token]');
}
