import net from 'node:net';
import { LineSocket } from './line-socket.ts';
import type { Answer, Hello, Notice, Order, Question } from './protocol.ts';
import { down, type Status } from './status.ts';

/** Another chmpx that is connected. */
interface Peer {
  hello: Hello;
  lines: Set<LineSocket>;
}

/** What a node does about the others. */
export interface PeersOptions {
  /** How this node introduces itself to another. */
  hello: (to: string) => Hello;
  /** The address that connections go out from; undefined for whichever fits. */
  address: string | undefined;
  /** Whether this node's ini has it, a server or a slave. */
  knows: (hello: Hello) => boolean;
  /** A connection without traffic that is cut ends after so long (ms). */
  keepAlive: number;
  /** Something was heard of a server, or it is gone; also called when a slave comes or goes. */
  seen: (id: string, status: Status) => void;
  /** The last connection to it has ended because it was cut. */
  lost: (id: string) => void;
  /** Another has introduced itself, and said how it saw this node and missing ones last. */
  greeted: (hello: Hello) => void;
  ordered: (order: Order) => void;
  asked: (question: Question) => Promise<Answer>;
}

/** What became of an attempt to connect to a server. */
export type Connected = 'connected' | 'refused' | 'down';

/** How long Node.js probes a silent connection before it gives it up: ten times, every second. */
const PROBES = 10_000;
/** How long a server may take to take a connection, and to answer: CONTIMEOUT × RETRYCNT. */
const CONNECT_TIMEOUT = 500;

/**
 * The connections of a chmpx to the others, on PORT. One between two nodes is enough, whoever made
 * it: each tells the other its status over it. A peer is down when its last connection is closed,
 * and only then: one that is cut off or stopped is not noticed, as with the real program, until
 * TCP's keepalive ends a connection that was cut for long.
 */
export class Peers {
  readonly #options: PeersOptions;
  readonly #peers = new Map<string, Peer>();

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  /** The slaves that are connected. */
  get slaves(): Hello[] {
    return this.#hellos.filter(({ status }) => status.ring === 'SLAVE');
  }

  /** The servers that are connected. */
  get servers(): Hello[] {
    return this.#hellos.filter(({ status }) => status.ring !== 'SLAVE');
  }

  isConnected(id: string): boolean {
    return this.#peers.has(id);
  }

  /** The server for PORT. */
  server(): net.Server {
    return net.createServer((socket) => {
      this.#keepAlive(socket);
      const line = new LineSocket(socket, {
        notice: (hello) => {
          if (hello.kind !== 'hello') return;
          if (hello.group !== this.#options.hello('').group || !this.#options.knows(hello)) {
            line.tell({ kind: 'refused' });
            line.end();
            return;
          }
          line.tell(this.#options.hello(hello.node));
          this.#add(hello, line);
        },
      });
    });
  }

  /** Connects to a server, unless it is connected. */
  connect(id: string, host: string, port: number): Promise<Connected> {
    if (this.isConnected(id)) return Promise.resolve('connected');
    const { address } = this.#options;
    const socket = net.connect({
      host,
      port,
      ...(address !== undefined && { localAddress: address }),
    });
    this.#keepAlive(socket);
    return new Promise((resolve) => {
      const timer = setTimeout(() => socket.destroy(), CONNECT_TIMEOUT);
      const line = new LineSocket(socket, {
        notice: (answer) => {
          clearTimeout(timer);
          if (answer.kind === 'hello') {
            this.#add(answer, line);
            this.#options.greeted(answer);
          }
          resolve(answer.kind === 'hello' ? 'connected' : 'refused');
        },
        closed: () => {
          clearTimeout(timer);
          resolve('down');
        },
      });
      line.tell(this.#options.hello(id));
    });
  }

  /** Tells everybody this node's status. */
  tellStatus(status: Status): void {
    this.#tellAll({ kind: 'state', status });
  }

  /** Tells all other servers to do something. */
  order(order: Order): void {
    this.#tellAll({ kind: 'order', order });
  }

  /** Asks another; undefined when it is gone, before or meanwhile. */
  async ask(id: string, question: Question): Promise<Answer | undefined> {
    const [line] = this.#peers.get(id)?.lines ?? [];
    return line?.ask(question);
  }

  get #hellos(): Hello[] {
    return [...this.#peers.values()].map(({ hello }) => hello);
  }

  #keepAlive(socket: net.Socket): void {
    socket.setKeepAlive(true, Math.max(1000, this.#options.keepAlive - PROBES));
  }

  #tellAll(notice: Notice): void {
    for (const { lines } of this.#peers.values()) {
      const [line] = lines;
      line?.tell(notice);
    }
  }

  #add(hello: Hello, line: LineSocket): void {
    const { seen, lost, ordered, asked } = this.#options;
    const id = hello.node;
    const peer = this.#peers.get(id) ?? { hello, lines: new Set() };
    this.#peers.set(id, peer);
    peer.lines.add(line);
    line.listener = {
      notice: (notice) => {
        if (notice.kind === 'state') {
          peer.hello = { ...peer.hello, status: notice.status };
          seen(id, notice.status);
        } else if (notice.kind === 'order') ordered(notice.order);
      },
      asked,
      closed: (cut) => {
        peer.lines.delete(line);
        if (peer.lines.size > 0) return;
        this.#peers.delete(id);
        if (cut) lost(id);
        else seen(id, down(peer.hello.status));
      },
    };
    seen(id, hello.status);
  }
}
