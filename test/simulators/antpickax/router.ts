import type { Clock } from '../../../src/base/clock.ts';
import type { Link } from './link.ts';
import type { Peers } from './peers.ts';
import type { Answer, Question } from './protocol.ts';
import type { Member, RingView } from './ring-view.ts';

/** What requests go through. */
export interface RouterOptions {
  clock: Clock;
  /** See `nodeId`. */
  self: string;
  view: RingView;
  peers: Peers;
  link: Link;
  /** How long a request waits for its answer, in milliseconds. */
  patience: number;
}

const failed: Answer = { failed: true };

/** Brings requests to the servers that have the keys, and data to the server that merges. */
export class Router {
  readonly #options: RouterOptions;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /**
   * Answers a client. One that has nowhere to go waits out its time and fails, even if the ring
   * opens meanwhile; a silent server is waited for as long, and nobody else is asked. A write
   * that failed can still arrive.
   */
  request(question: Question): Promise<Answer> {
    const { clock, patience } = this.#options;
    return new Promise((resolve) => {
      clock.after(patience, () => {
        resolve(failed);
      });
      void this.#deliver(question).then((answer) => {
        if (answer !== undefined) resolve(answer);
      });
    });
  }

  /**
   * Answers for this node's own k2hdkc; what is written goes on to the replicas. Without a k2hdkc
   * there never is an answer.
   */
  async serve(question: Question): Promise<Answer> {
    const { link, self, peers } = this.#options;
    const answer = (await link.ask(question)) ?? (await new Promise<never>(() => undefined));
    const written = question.kind === 'set' || question.kind === 'remove';
    if (written && 'entries' in answer) {
      for (const { id } of this.#targets(question.key)) {
        if (id !== self) void peers.ask(id, { kind: 'take', entries: answer.entries });
      }
    }
    return answer;
  }

  /** Gathers what this server is to hold after the merge; resolves with how many keys came. */
  async pull(): Promise<number> {
    const { view, self, peers, link } = this.#options;
    const { range, from } = view.pullOf(self) ?? { from: [] };
    if (range === undefined) return 0;
    const answers = await Promise.all(from.map(({ id }) => peers.ask(id, { kind: 'pull', range })));
    let count = 0;
    for (const answer of answers) {
      if (answer === undefined || !('entries' in answer)) continue;
      count += answer.entries.length;
      await link.ask({ kind: 'take', entries: answer.entries });
    }
    return count;
  }

  async #deliver(question: Question): Promise<Answer | undefined> {
    const key = 'key' in question ? question.key : '';
    for (let tries = 0; tries < 10; tries += 1) {
      const [target] = this.#targets(key);
      if (target === undefined) return undefined;
      const answer = await this.#send(target.id, question);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  #send(id: string, question: Question): Promise<Answer | undefined> {
    const { self, peers } = this.#options;
    return id === self ? this.serve(question) : peers.ask(id, question);
  }

  #targets(key: string): Member[] {
    return this.#options.view.targets(Buffer.from(key, 'hex'));
  }
}
