import type { Clock } from '../../base/clock.ts';
import { parseAllStatus } from '../all-status.ts';
import { ControlPort } from './control-port.ts';
import type { Order } from '../change/merge-order.ts';
import { serverKey } from '../ring.ts';
import type { RingNode } from '../status.ts';

/** So long another server's view is waited for: a settled chmpx answers within 2 ms (ms). */
export const VIEW_ANSWER_MS = 2_000;

export interface ControlPortsOptions {
  /** Where the control port of the server itself is spoken to. */
  ownHost: string;
  /** Where that of another one is; default its name in the ring, which every node can resolve. */
  hostOf?: (server: RingNode) => string;
  clock: Clock;
}

/**
 * The control ports of the servers of a ring, each with its own pauses. A server answers any node
 * that its ini lists (docs/contracts/chmpx.md, 3.1).
 */
export class ControlPorts {
  readonly #options: ControlPortsOptions;
  readonly #ports = new Map<string, ControlPort>();

  constructor(options: ControlPortsOptions) {
    this.#options = options;
  }

  /** Gives one command to one server; `self` is the server of this VM. */
  async send({ command, at, names = at }: Order, self: RingNode): Promise<string> {
    const port = this.#port(at, serverKey(at) === serverKey(self));
    switch (command) {
      case 'SERVICEIN':
        return port.serviceIn();
      case 'SERVICEOUT':
        return port.serviceOut({
          serverName: names.name,
          controlPort: names.controlPort,
          seed: names.seed,
        });
      case 'MERGE':
      case 'COMPMERGE':
      case 'ABORTMERGE':
        return port.merge(command);
    }
  }

  /** The ring as another settled server sees it; rejects when it does not say so within `limitMs`. */
  async viewOf(server: RingNode, limitMs: number): Promise<RingNode[]> {
    return parseAllStatus(await this.#port(server, false).allStatus(limitMs));
  }

  #port(at: RingNode, isOwn: boolean): ControlPort {
    const { ownHost, hostOf, clock } = this.#options;
    const host = isOwn ? ownHost : (hostOf?.(at) ?? at.name);
    const key = `${host}:${at.controlPort}`;
    const known = this.#ports.get(key);
    if (known) return known;
    const port = new ControlPort({ host, port: at.controlPort, clock });
    this.#ports.set(key, port);
    return port;
  }
}
