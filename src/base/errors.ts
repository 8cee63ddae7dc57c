import { inspect } from 'node:util';
import { excerpt, onOneLine } from './text.ts';

/** What an error of ours says beyond its text. */
export interface ErrorFacts {
  /** What this error was made from. */
  cause?: unknown;
  /** Whether the same call can succeed later without anybody changing anything. Default false. */
  retryable?: boolean;
}

/**
 * No error says more (characters): what it quotes of others is cut in one place, whoever made it. The
 * log shows half of that, so that no secret is cut in two before it is taken out.
 */
const LONGEST_MESSAGE = 8_000;

/**
 * The base of all errors that this agent makes itself. The message is one line for a person:
 * what happened, to what, and what to do. It is all that the log and the caller of an RPC see, so
 * errors that nobody tells apart have no more than that. What code does tell apart is a class, with
 * a `kind` or a `status` where that has several.
 */
export class AgentError extends Error {
  readonly retryable: boolean;

  constructor(message: string, facts: ErrorFacts = {}) {
    const text = excerpt(message, LONGEST_MESSAGE);
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0; // see withoutStack
    super(text, facts.cause === undefined ? undefined : { cause: facts.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.name = new.target.name;
    this.retryable = facts.retryable ?? false;
  }
}

/**
 * Runs something whose errors have no stack, which is most of what a refusal costs and which nobody
 * reads: so many refusals must be cheap (`npm run bench:flood`).
 */
export function withoutStack<T>(run: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Something a person configured cannot be used; the agent leaves with EX_CONFIG (78). */
export class ConfigurationError extends AgentError {}

/**
 * This process ends before a piece of work does: it has no outcome yet, so nobody is answered. The
 * next process takes it up again.
 */
export class Unfinished extends AgentError {
  constructor(message: string) {
    super(message, { retryable: true });
  }
}

/** The one-line text of anything that was thrown, at most LONGEST_MESSAGE characters of it. */
export function messageOf(thrown: unknown): string {
  const error = asError(thrown);
  const text = error.message || partsOf(error) || error.name;
  return onOneLine(excerpt(text, LONGEST_MESSAGE));
}

/** A failed connection to a name with several addresses has no message of its own. */
function partsOf(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(messageOf).join('; ') : '';
}

/** The `code` of a Node.js system error (`ENOENT`, `ECONNREFUSED` …). */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** Turns anything thrown into an Error, so that it can be a `cause` or a rejection. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error(typeof thrown === 'string' ? thrown : textOf(thrown));
}

function textOf(thrown: unknown): string {
  const plain = typeof thrown === 'object' && thrown !== null;
  try {
    if (plain) return JSON.stringify(thrown);
  } catch {
    // A circle, say.
  }
  return inspect(thrown, { breakLength: Infinity });
}
