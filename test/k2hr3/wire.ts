import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { sleep, systemClock } from '../../src/base/clock.ts';

/** What happens to calls on their way; each can be switched at any time. */
export interface WireFault {
  /** Every connection is reset as it is made. */
  reset?: boolean;
  /** Some proxy answers everything with a page of its own, and status 200. */
  htmlPage?: boolean;
  /** Every answer breaks off in the middle of its body. */
  truncate?: boolean;
  /** So many registrations are answered with 201 and go nowhere. */
  loseRegistrations?: number;
  /** Calls are passed on so many milliseconds late. */
  delayMs?: number;
  /** Reads of a role resource answer 200 with this in its place. */
  wrongResource?: unknown;
}

/** One call that came by, without its query. */
export interface PassedCall {
  method: string;
  path: string;
  status: number;
}

const PAGE = '<!DOCTYPE html><html><body><h1>Service is being maintained</h1></body></html>\n';

/**
 * The network between a node and a K2HR3, stand-in or real, with what can go wrong there. Calls go on
 * from the address they come from, and the extdata script names the wire as the API.
 */
export class Wire {
  /** What goes wrong from now on. */
  fault: WireFault = {};
  /** Calls that were answered, oldest first. */
  readonly calls: PassedCall[] = [];
  readonly #target: URL;
  readonly #server: http.Server;
  #port = 0;
  readonly #ended = new AbortController();

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server = http.createServer((incoming, outgoing) => {
      this.#pass(incoming, outgoing).catch(() => outgoing.destroy());
    });
    this.#server.on('connection', (socket: Socket) => {
      if (this.fault.reset) socket.resetAndDestroy();
    });
  }

  /** A wire to the K2HR3 at this `http://host:port`. */
  static async start(target: string): Promise<Wire> {
    const wire = new Wire(target);
    await wire.connect();
    return wire;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Takes connections (again), always on the same port. */
  async connect(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Cuts all connections and refuses new ones. */
  async cut(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** How many calls of a method were answered with a status (all, when it is left out). */
  count(method: string, status?: number): number {
    const found = this.calls.filter((call) => call.method === method);
    return found.filter((call) => status === undefined || call.status === status).length;
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    if (this.#server.listening) await this.cut();
  }

  async #pass(incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> {
    const { fault } = this;
    const { method = 'GET', url = '/' } = incoming;
    const path = url.replace(/\?.*/, '');
    if (fault.delayMs) await sleep(systemClock, fault.delayMs, this.#ended.signal);
    if (fault.htmlPage) {
      outgoing.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
      return;
    }
    if (method === 'PUT' && (fault.loseRegistrations ?? 0) > 0) {
      fault.loseRegistrations = (fault.loseRegistrations ?? 0) - 1;
      this.calls.push({ method, path, status: 201 });
      outgoing.writeHead(201).end('{"result":true,"message":null}');
      return;
    }
    const answer = await this.#forward(method, url, incoming);
    const { statusCode: status = 0 } = answer;
    let body = await buffer(answer);
    if (path.startsWith('/v1/extdata/')) {
      body = Buffer.from(body.toString().replaceAll(this.#target.origin, this.url));
    }
    if ('wrongResource' in fault && path.startsWith('/v1/resource/') && status === 200) {
      const wrong = { result: true, message: null, resource: fault.wrongResource };
      body = Buffer.from(JSON.stringify(wrong));
    }
    this.calls.push({ method, path, status });
    const headers = { ...answer.headers };
    delete headers['transfer-encoding'];
    if (body.length > 0) headers['content-length'] = String(body.length);
    if (fault.truncate && body.length > 0) {
      outgoing.writeHead(status, headers);
      outgoing.write(body.subarray(0, body.length / 2), () => outgoing.destroy());
    } else {
      outgoing.writeHead(status, headers).end(body);
    }
  }

  #forward(
    method: string,
    path: string,
    incoming: http.IncomingMessage,
  ): Promise<http.IncomingMessage> {
    const headers = { ...incoming.headers };
    delete headers['accept-encoding']; // the script is read and changed here
    delete headers.connection;
    // What has no body cannot be broken: a 304 would come through whole.
    if (this.fault.truncate || 'wrongResource' in this.fault) delete headers['if-none-match'];
    const { hostname: host, port } = this.#target;
    const localAddress = incoming.socket.remoteAddress;
    return new Promise((resolve, reject) => {
      http
        .request({ host, port, method, path, headers, localAddress, agent: false }, resolve)
        .on('error', reject)
        .end();
    });
  }
}
