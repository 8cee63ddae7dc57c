import { AgentError } from '../base/errors.ts';

/** The properties a message is sent with. What is left out is not on the wire. */
export interface MessageProperties {
  contentType?: string;
  contentEncoding?: string;
  headers?: Record<string, unknown>;
  /** 1 = may live in memory only, 2 = is to be stored when its queue is durable. */
  deliveryMode?: 1 | 2;
  priority?: number;
  /** How long it may wait in its queue, in milliseconds, as a decimal string. */
  expiration?: string;
}

/** A message on its way out. */
export interface OutgoingMessage {
  /** '' is the default exchange, whose routing keys are queue names. */
  exchange: string;
  routingKey: string;
  content: Buffer;
  properties: MessageProperties;
  /** Whether the broker gives the message back when no queue takes it. */
  mandatory: boolean;
}

/** `returned`: the message was mandatory, and no queue took it. */
export type PublishOutcome = 'confirmed' | 'returned';

/**
 * A message was not sent, or not confirmed, for a reason that is not its own: there is no connection,
 * the broker takes nothing now, or has not answered. It may or may not have arrived.
 */
export class NotSent extends AgentError {
  constructor(message: string, cause?: unknown) {
    super(message, { cause, retryable: true });
  }
}

/** Something that messages can be sent through. */
export interface Publisher {
  /**
   * Resolves when the broker has taken charge of the message. Rejects with NotSent; with another
   * retryable AgentError when the broker refused what was sent, which can be this message.
   */
  publish(message: OutgoingMessage): Promise<PublishOutcome>;
}

/** A message that came in, and that waits to be acknowledged. */
export interface Delivery {
  readonly content: Buffer;
  readonly contentType: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly routingKey: string;
  /** Whether the broker has (perhaps) delivered this message before. */
  readonly redelivered: boolean;
  /**
   * The broker may forget the message. Does nothing the second time, nor when the channel that
   * delivered it is gone: the broker delivers the message again then.
   */
  ack(): void;
  /** The broker is to drop the message. Does nothing in the same cases as `ack`. */
  reject(): void;
}

/**
 * Handles one delivery; its promise settles when nothing remains to be done for it. It runs
 * beside the handling of others. A message whose handler throws is rejected.
 */
export type OnDelivery = (delivery: Delivery) => Promise<void> | void;
