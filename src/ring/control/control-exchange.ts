import { connect } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { AgentError, messageOf, type ErrorFacts } from '../../base/errors.ts';

/** How an exchange with a control port failed. */
export type ControlFailure =
  /** Nobody listens, or the connection broke: chmpx is not there. */
  | 'unreachable'
  /** chmpx closed without a word: it does not know this peer's address as one of its nodes. */
  | 'silent'
  /** Nothing within the time limit; whether the command was carried out is unknown. */
  | 'timeout'
  /** chmpx answered, and its answer does not begin with SUCCEED. */
  | 'refused';

/** A command that a control port did not carry out, or did not say that it did. */
export class ControlPortError extends AgentError {
  readonly kind: ControlFailure;

  constructor(kind: ControlFailure, message: string, facts: ErrorFacts = {}) {
    super(message, { retryable: kind !== 'refused', ...facts });
    this.kind = kind;
  }
}

/** Where and for how long one exchange happens. */
export interface ExchangeOptions {
  host: string;
  port: number;
  clock: Clock;
  /** Milliseconds from the beginning of the connection to the end of the answer. */
  timeoutMs: number;
}

/** A chmpx that stalls answers after 5 s: who waits for less may miss its answer (ms). */
export const STALLED_ANSWER_MS = 7_000;
/** DUMP answers 8 kB; nothing answers more than this (bytes). */
const MOST_ANSWER = 1_048_576;

/**
 * One command, one connection: connects, sends the whole command in one write (chmpx stalls on a
 * split one), and returns what it answers until it closes, trimmed. Rejects with a
 * ControlPortError.
 */
export function exchange(command: string, options: ExchangeOptions): Promise<string> {
  const { host, port, clock, timeoutMs } = options;
  const where = `control port ${host}:${port}`;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const socket = connect({ host, port, noDelay: true });
    const fail = (kind: ControlFailure, what: string, cause?: unknown): void => {
      cancel();
      socket.destroy();
      reject(new ControlPortError(kind, `${command}: ${where} ${what}`, { cause }));
    };
    const cancel = clock.after(timeoutMs, () => {
      fail('timeout', `did not answer within ${timeoutMs} ms`);
    });
    socket.once('connect', () => socket.write(command));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MOST_ANSWER) fail('unreachable', 'answers without end: it is no chmpx');
    });
    socket.once('error', (error) => {
      fail('unreachable', `cannot be reached: ${messageOf(error)}`, error);
    });
    socket.once('end', () => {
      cancel();
      socket.destroy();
      const answer = Buffer.concat(chunks).toString('utf8').trim();
      if (answer !== '') resolve(answer);
      else fail('silent', 'closed without an answer: this address is none of its nodes');
    });
  });
}
