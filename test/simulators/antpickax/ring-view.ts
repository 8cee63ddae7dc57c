import { nodeId, type Configuration, type ServerNode } from './configuration.ts';
import { holders, keyHash, rangeOf, type Range } from './placement.ts';
import {
  hasBaseHash,
  hasPendingHash,
  isOperating,
  takesRequests,
  unreachable,
  type Status,
} from './status.ts';

/** What a node knows of a server. */
export interface Member {
  id: string;
  server: ServerNode;
  status: Status;
  /** When the status last changed, milliseconds since the epoch; 0 for never. */
  updated: number;
}

/** The servers of a ring as one node sees them, itself among them unless it is a slave. */
export class RingView {
  #members: Member[] = [];
  #configuration: Configuration;
  readonly #selfId: string | undefined;

  constructor(configuration: Configuration) {
    this.#configuration = configuration;
    this.#selfId =
      configuration.mode === 'SLAVE' ? undefined : nodeId(configuration, configuration.self);
    this.configure(configuration);
  }

  /** In the order of the ring. */
  get members(): readonly Member[] {
    return this.#members;
  }

  get others(): readonly Member[] {
    return this.#members.filter(({ id }) => id !== this.#selfId);
  }

  /** The next server that is up, in the order of the ring; undefined when there is none. */
  get nextUp(): string | undefined {
    const at = this.#members.findIndex(({ id }) => id === this.#selfId);
    const behind = [...this.#members.slice(at + 1), ...this.#members.slice(0, Math.max(0, at))];
    return behind.find(({ status }) => status.live === 'UP')?.id;
  }

  /** What chmpxstatus calls `now operating`. */
  get operating(): boolean {
    return this.#members.some(({ status }) => isOperating(status));
  }

  /** Takes over another ini. A server that it leaves out stays until it is out and down. */
  configure(configuration: Configuration): void {
    this.#configuration = configuration;
    const before = this.#members;
    this.#members = configuration.servers.map((server) => {
      const id = nodeId(configuration, server);
      const known = before.find((one) => one.id === id);
      return { status: unreachable, updated: 0, ...known, id, server };
    });
    const named = new Set(this.#members.map(({ id }) => id));
    this.#members.push(...before.filter(({ id, status }) => !named.has(id) && isThere(status)));
    this.#members.sort((a, b) => inOrder(a.server, b.server));
  }

  find(id: string): Member | undefined {
    return this.#members.find((one) => one.id === id);
  }

  /** Notes what is heard of a server, with the time. */
  set(id: string, status: Status): void {
    const member = this.find(id);
    if (member === undefined) return;
    member.status = status;
    member.updated = Date.now();
    this.configure(this.#configuration);
  }

  /** The base hash of a server, or its pending hash; undefined when it has none. */
  hashOf(id: string, which: 'base' | 'pending'): number | undefined {
    const index = this.#withHash(which).findIndex((one) => one.id === id);
    return index < 0 ? undefined : index;
  }

  /** How many servers have a base hash. */
  get baseHashes(): number {
    return this.#withHash('base').length;
  }

  /** Where a key is, and while a merge runs where it will be, as far as they take requests. */
  targets(key: Buffer): Member[] {
    const hash = keyHash(key);
    const lists = [this.#withHash('base'), this.operating ? this.#withHash('pending') : []];
    const found = lists.flatMap((list) =>
      holders(hash, list.length, this.#replicas).map((number) => list[number]),
    );
    return [...new Set(found)].filter(
      (one) => one !== undefined && takesRequests(one.status),
    ) as Member[];
  }

  /** What a server asks for in a merge, and whom; `undefined` when nobody will hold anything. */
  pullOf(id: string): { range: Range; from: Member[] } | undefined {
    const count = this.#withHash('pending').length;
    if (count === 0) return undefined;
    const range = rangeOf(this.hashOf(id, 'pending'), count, this.#replicas);
    const from = this.#withHash('base').filter(
      (one) => one.id !== id && one.status.live === 'UP' && !one.status.suspended,
    );
    return { range, from };
  }

  get #replicas(): number {
    return this.#configuration.numbers.REPLICA;
  }

  #withHash(which: 'base' | 'pending'): Member[] {
    const has = which === 'base' ? hasBaseHash : hasPendingHash;
    return this.#members.filter(({ status }) => has(status));
  }
}

function isThere({ ring, live }: Status): boolean {
  return ring === 'SERVICE IN' || live === 'UP';
}

function inOrder(a: ServerNode, b: ServerNode): number {
  return (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) || a.ctlport - b.ctlport;
}
