import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What a proxy does beside passing everything on. */
interface ProxyOptions {
  /** Default: any free port of 127.0.0.1. */
  port?: number;
  /** The first connection is cut when so many bytes have come from the server. Default: never. */
  cutAfter?: number;
  /** What the client gets in place of a chunk from the server. Default: the chunk. */
  rewrite?: (chunk: Buffer) => Buffer;
  /** What the client gets at once for a chunk, which the server does not see then. */
  answer?: (chunk: Buffer) => Buffer | undefined;
}

/** A TCP proxy to a port of 127.0.0.1 for the faults that a network has. */
export class TcpProxy {
  readonly #server: Server;
  #port = 0;
  readonly #pairs = new Set<{ client: Socket; server: Socket }>();

  private constructor(port: number, { cutAfter = Infinity, rewrite, answer }: ProxyOptions) {
    let left = cutAfter;
    this.#server = createServer((client) => {
      const server = connect(port, '127.0.0.1');
      const pair = { client, server };
      const end = (): void => {
        this.#pairs.delete(pair);
        client.destroy();
        server.destroy();
      };
      this.#pairs.add(pair);
      for (const socket of [client, server])
        socket.setNoDelay(true).on('error', end).on('close', end);
      client.on('data', (chunk) => {
        const given = answer?.(chunk);
        if (given === undefined) server.write(chunk);
        else client.write(given);
      });
      server.on('data', (chunk) => {
        client.write(rewrite ? rewrite(chunk) : chunk.subarray(0, left));
        left -= chunk.length;
        if (left > 0) return;
        left = Infinity;
        client.end(end);
      });
    });
  }

  static async start(port: number, options: ProxyOptions = {}): Promise<TcpProxy> {
    const proxy = new TcpProxy(port, options);
    proxy.#server.listen(options.port ?? 0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    proxy.#port = (proxy.#server.address() as AddressInfo).port;
    return proxy;
  }

  /** Where it listens, or did. */
  get port(): number {
    return this.#port;
  }

  /** How many connections are open now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Nothing goes through the connections of now any more; they stay open. */
  freeze(): void {
    for (const { client, server } of this.#pairs) {
      client.pause();
      server.pause();
    }
  }

  /** Writes bytes to the server of every connection, as if the client had. */
  toServer(bytes: Buffer): void {
    for (const { server } of this.#pairs) server.write(bytes);
  }

  /** Writes bytes to the client of every connection, as if the server had. */
  toClient(bytes: Buffer): void {
    for (const { client } of this.#pairs) client.write(bytes);
  }

  /** Cuts all connections and takes no more. */
  close(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    this.#server.close();
  }
}
