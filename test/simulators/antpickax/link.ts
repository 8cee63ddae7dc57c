import { once } from 'node:events';
import net from 'node:net';
import { LineSocket } from './line-socket.ts';
import type { Answer, Question } from './protocol.ts';

/** What a k2hdkc says when it attaches. */
export interface Attachment {
  pid: number;
  /** How many chmpx it has lost before this one. */
  rejoins: number;
  /** Runs with `-no_giveup_rejoin`. */
  neverGivesUp: boolean;
}

/** Who is told about k2hdkc processes, and asked by tools. */
export interface LinkListener {
  attached(attachment: Attachment): void;
  detached(pid: number): void;
  /** Answers a question of a client, such as k2hdkclinetool. */
  asked(question: Question): Promise<Answer>;
}

/**
 * The chmpx side of what the message queues and the shared memory do in the real programs: a
 * loopback connection for as long as a k2hdkc or a client is attached.
 */
export class Link {
  readonly #attached = new Map<number, LineSocket>();
  readonly #listener: LinkListener;

  constructor(listener: LinkListener) {
    this.#listener = listener;
  }

  /** Resolves with the port. */
  async open(): Promise<number> {
    const server = net.createServer((socket) => {
      this.#accept(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port to attach to');
    return address.port;
  }

  /** Asks the k2hdkc of this node; undefined when there is none, or it ends meanwhile. */
  async ask(question: Question): Promise<Answer | undefined> {
    const [k2hdkc] = this.#attached.values();
    return k2hdkc?.ask(question);
  }

  #accept(socket: net.Socket): void {
    let pid: number | undefined;
    const line = new LineSocket(socket, {
      notice: (notice) => {
        if (notice.kind !== 'k2hdkc') return;
        ({ pid } = notice);
        this.#attached.set(pid, line);
        this.#listener.attached(notice);
      },
      asked: (question) => this.#listener.asked(question),
      closed: () => {
        if (pid === undefined) return;
        this.#attached.delete(pid);
        this.#listener.detached(pid);
      },
    });
  }
}

/** The k2hdkc side; answers what chmpx asks, and calls `lost` when the chmpx is gone. */
export function attach(
  port: number,
  attachment: Attachment,
  answer: (question: Question) => Answer,
  lost: () => void,
): void {
  const line = new LineSocket(net.connect(port, '127.0.0.1'), {
    asked: (question) => Promise.resolve(answer(question)),
    closed: lost,
  });
  line.tell({ kind: 'k2hdkc', ...attachment });
}
