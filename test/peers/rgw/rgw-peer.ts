import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SwiftAccount } from '../swift/account.ts';
import { FaultDoor } from '../swift/fault-door.ts';
import type { ObjectStore } from '../swift/object-store.ts';
import { Gateway, type GatewayOptions } from './gateway.ts';
import { rgwAnswer } from './refusals.ts';

const DEFAULTS: GatewayOptions = {
  manifests: 'empty',
  maxFileSize: 5 * 1024 ** 3,
  maxSegments: 1000,
  listingLimit: 10_000,
  sharedNames: false,
  asksForBodies: true,
};

/**
 * A stand-in for the Swift API of Ceph RGW, which no test machine can run: as unkind as the code of the
 * real one (docs/contracts/swift.md, 11), in this process, with its objects in memory.
 */
export class RgwPeer implements ObjectStore {
  readonly #server: Server;
  readonly #gateway: Gateway;

  private constructor(server: Server, gateway: Gateway) {
    this.#server = server;
    this.#gateway = gateway;
  }

  static async start(options: Partial<GatewayOptions> = {}): Promise<RgwPeer> {
    const gateway = new Gateway({ ...DEFAULTS, ...options });
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      request.on('error', () => undefined); // whoever is cut off gets no answer
      void gateway.handle(request, response);
    };
    const server = createServer({ requestTimeout: 0, keepAliveTimeout: 0 }, handle);
    server.on('checkContinue', handle);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RgwPeer(server, gateway);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The account is in it, as OpenStack's documentation of RGW has it. */
  url(project = 'test'): string {
    return `${this.urlWithoutAccount}/AUTH_${project}`;
  }

  /** As of a catalog that was made with rgw_swift_account_in_url = false, the default. */
  get urlWithoutAccount(): string {
    return `http://127.0.0.1:${this.port}/swift/v1`;
  }

  token(project = 'test'): Promise<string> {
    const token = `gAAAA${randomBytes(16).toString('hex')}`;
    this.#gateway.permit(token, project);
    return Promise.resolve(token);
  }

  async account(project = 'test'): Promise<SwiftAccount> {
    return new SwiftAccount(this.url(project), await this.token(project));
  }

  door(): Promise<FaultDoor> {
    return FaultDoor.start(this.port, { root: '/swift/v1/AUTH_', answer: rgwAnswer });
  }

  fill(): Promise<void> {
    this.#gateway.isFull = true;
    return Promise.resolve();
  }

  empty(): Promise<void> {
    this.#gateway.isFull = false;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    return Promise.resolve();
  }
}
