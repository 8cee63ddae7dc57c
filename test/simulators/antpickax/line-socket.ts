import type { Socket } from 'node:net';
import { codeOf } from '../../../src/base/errors.ts';
import type { Answer, Notice, Question } from './protocol.ts';

/** Who hears what comes in over a connection. */
export interface LineListener {
  notice?: (notice: Notice) => void;
  /** Answers a question of the other side. */
  asked?: (question: Question) => Promise<Answer>;
  /** @param cut whether the other side is not reached any more, by TCP's keepalive. */
  closed?: (cut: boolean) => void;
}

type Line = { n: Notice } | { q: number; m: Question } | { a: number; m: Answer };

/** A connection of the stand-ins among themselves: notices and questions, a JSON text per line. */
export class LineSocket {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>();
  #listener: LineListener;
  #lastQuestion = 0;
  #rest = '';

  constructor(socket: Socket, listener: LineListener) {
    this.#socket = socket;
    this.#listener = listener;
    socket.setEncoding('utf8').setNoDelay(true);
    let cut = false;
    socket.on('error', (error) => (cut = codeOf(error) === 'ETIMEDOUT')); // "close" follows
    socket.on('data', (text: string) => {
      this.#read(text);
    });
    socket.once('close', () => {
      for (const answered of this.#waiting.values()) answered(undefined);
      this.#listener.closed?.(cut);
    });
  }

  /** Who hears from now on. */
  set listener(listener: LineListener) {
    this.#listener = listener;
  }

  tell(notice: Notice): void {
    this.#write({ n: notice });
  }

  /** Resolves with the answer, or with undefined when the connection ends first. */
  ask(question: Question): Promise<Answer | undefined> {
    if (this.#socket.destroyed) return Promise.resolve(undefined);
    this.#lastQuestion += 1;
    const number = this.#lastQuestion;
    return new Promise((resolve) => {
      this.#waiting.set(number, (answer) => {
        this.#waiting.delete(number);
        resolve(answer);
      });
      this.#write({ q: number, m: question });
    });
  }

  end(): void {
    this.#socket.end();
  }

  #write(line: Line): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(line)}\n`);
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#hear(JSON.parse(line) as Line);
  }

  #hear(line: Line): void {
    if ('n' in line) this.#listener.notice?.(line.n);
    else if ('a' in line) this.#waiting.get(line.a)?.(line.m);
    else {
      const { q } = line;
      void this.#listener.asked?.(line.m).then((answer) => {
        this.#write({ a: q, m: answer });
      });
    }
  }
}
