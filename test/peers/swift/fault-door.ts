import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomFrom } from '../../helpers/random-from.ts';
import { Exchange, type DoorRecord } from './exchange.ts';
import { swiftAnswer, type CannedAnswer } from './swift-answers.ts';
import { FaultRules, type Fault, type FaultRule } from './faults.ts';

/** How a door is like what is behind it. */
export interface DoorOptions {
  /** Of the share of faults. Default 1. */
  seed?: number;
  /** What stands before a project in the path. Default Swift's: `/v1/AUTH_`. */
  root?: string;
  /** An answer that it makes itself. Default: Swift's. */
  answer?: (status: number, path: string) => CannedAnswer;
}

const EXPIRED: Fault = { kind: 'answer', status: 401, when: 'before-body' };

/** An HTTP door in front of a port of 127.0.0.1 in which things go wrong as they are told to. */
export class FaultDoor {
  /** All requests since the start or `forget`, in the order in which they came. */
  requests: DoorRecord[] = [];
  readonly #target: number;
  readonly #rules: FaultRules;
  readonly #server: Server;
  readonly #root: string;
  readonly #answer: (status: number, path: string) => CannedAnswer;
  readonly #tokens = new Map<string, number>();
  #tokenLife = Infinity;

  private constructor(target: number, options: DoorOptions) {
    const { seed = 1, root = '/v1/AUTH_', answer = swiftAnswer } = options;
    this.#target = target;
    this.#root = root;
    this.#answer = answer;
    this.#rules = new FaultRules(randomFrom(seed));
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#handle(request, response);
    };
    this.#server = createServer({ requestTimeout: 0, keepAliveTimeout: 0 }, handle);
    this.#server.on('checkContinue', handle);
  }

  /** Opens a door to Swift's proxy (`peer.port`), or to anything else that speaks HTTP. */
  static async start(target: number, options: DoorOptions = {}): Promise<FaultDoor> {
    const door = new FaultDoor(target, options);
    door.#server.listen(0, '127.0.0.1');
    await once(door.#server, 'listening');
    return door;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The swift_url of a project by way of this door. */
  url(project = 'test'): string {
    return `http://127.0.0.1:${this.port}${this.#root}${project}`;
  }

  /** From now on this goes wrong too. */
  add(rule: FaultRule): void {
    this.#rules.add(rule);
  }

  /** From now on each token is good for so many requests and then refused with 401. */
  expireTokensAfter(requests: number): void {
    this.#tokens.clear();
    this.#tokenLife = requests;
  }

  /** From now on nothing goes wrong. */
  clear(): void {
    this.#rules.clear();
    this.#tokenLife = Infinity;
  }

  /** Forgets what went through. */
  forget(): void {
    this.requests = [];
  }

  /** Cuts all connections and takes no more. */
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = request;
    const fault = this.#expired(headers) ? EXPIRED : this.#rules.pick(method, path);
    const record: DoorRecord = {
      method,
      path,
      headers,
      status: null,
      received: 0,
      answered: 0,
      fault: fault?.kind ?? null,
    };
    this.requests.push(record);
    const answer = this.#answer;
    await new Exchange(request, response, { record, fault, answer }).run(this.#target);
  }

  #expired(headers: IncomingHttpHeaders): boolean {
    const token = headers['x-auth-token'];
    if (typeof token !== 'string') return false;
    const used = (this.#tokens.get(token) ?? 0) + 1;
    this.#tokens.set(token, used);
    return used > this.#tokenLife;
  }
}
