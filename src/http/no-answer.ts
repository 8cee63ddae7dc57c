import { AgentError, messageOf } from '../base/errors.ts';

/**
 * No complete answer came: refused, cut off, too slow, given up, not trusted. Its text is what the
 * limit or Node.js says; who was asked is the caller's to say. Another try can succeed.
 */
export class NoAnswer extends AgentError {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause, retryable: true });
  }
}
