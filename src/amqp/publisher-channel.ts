import { createHash } from 'node:crypto';
import type { ConfirmChannel, Message } from 'amqplib';
import { AgentError, messageOf } from '../base/errors.ts';
import type { Connection } from './connection.ts';
import { openDeclaredChannel } from './declared-channel.ts';
import type { InequivalentDeclaration } from './inequivalent.ts';
import { NotSent, type OutgoingMessage, type Publisher, type PublishOutcome } from './message.ts';
import type { Topology } from './topology.ts';

/** A message that the broker has not answered for yet. */
interface Unconfirmed {
  returned: boolean;
}

/** A channel of its own for publishing, so that its errors cost no delivery. */
export class PublisherChannel implements Publisher {
  /** Resolves with the reason when this channel must be opened anew. */
  readonly lost: Promise<string>;
  readonly #channel: ConfirmChannel;
  /** Those that can be returned, by `keyOf`; of equal ones the oldest first. */
  readonly #unconfirmed = new Map<string, Unconfirmed[]>();
  #lose: (why: string) => void = () => undefined;
  /** Why the broker has closed this channel: it refused something that was sent on it. */
  #refusal: unknown = null;

  private constructor(channel: ConfirmChannel, closed: Promise<string>) {
    this.#channel = channel;
    const given = new Promise<string>((resolve) => (this.#lose = resolve));
    this.lost = Promise.race([closed, given]);
    channel.on('error', (error: unknown) => (this.#refusal = error));
    channel.on('return', (message) => {
      this.#onReturn(message);
    });
  }

  /** Opens the channel and declares what is published to. Throws what amqplib throws. */
  static async open(
    connection: Connection,
    topology: Topology,
    onDifference: (difference: InequivalentDeclaration) => void,
  ): Promise<PublisherChannel> {
    const { channel, closed } = await openDeclaredChannel(
      connection,
      (model) => model.createConfirmChannel(),
      topology,
      onDifference,
    );
    return new PublisherChannel(channel, closed);
  }

  publish(message: OutgoingMessage): Promise<PublishOutcome> {
    return new Promise((resolve, reject) => {
      const unconfirmed: Unconfirmed = { returned: false };
      const forget = this.#remember(message, unconfirmed);
      const onAnswer = (error: unknown): void => {
        forget();
        if (error) reject(this.#notConfirmed(message, error));
        else resolve(unconfirmed.returned ? 'returned' : 'confirmed');
      };
      const { exchange, routingKey, content, properties, mandatory } = message;
      try {
        this.#channel.publish(
          exchange,
          routingKey,
          content,
          { ...properties, mandatory },
          onAnswer,
        );
      } catch (error) {
        onAnswer(error);
      }
    });
  }

  /** Leaves the channel, so that another is opened. Does not wait for the broker. */
  abandon(why: string): void {
    this.#lose(why);
    this.#channel.close().catch(() => undefined);
  }

  #notConfirmed({ exchange, routingKey }: OutgoingMessage, cause: unknown): AgentError {
    const to = `exchange "${exchange}" with key "${routingKey}"`;
    const text = `the message to ${to} was not confirmed: ${messageOf(this.#refusal ?? cause)}`;
    return this.#refusal === null
      ? new NotSent(text, cause)
      : new AgentError(text, { cause: this.#refusal, retryable: true });
  }

  #remember(message: OutgoingMessage, unconfirmed: Unconfirmed): () => void {
    if (!message.mandatory) return () => undefined;
    const key = keyOf(message);
    const same = this.#unconfirmed.get(key) ?? [];
    this.#unconfirmed.set(key, [...same, unconfirmed]);
    return () => {
      const left = this.#unconfirmed.get(key)?.filter((one) => one !== unconfirmed) ?? [];
      if (left.length > 0) this.#unconfirmed.set(key, left);
      else this.#unconfirmed.delete(key);
    };
  }

  /**
   * The broker gives an unroutable message back before it confirms it, and other confirms may
   * come in between. What it gives back is the whole message, so nothing has to be added to the
   * wire to know it again; of two equal ones the first was published, and is returned, first.
   */
  #onReturn({ fields: { exchange, routingKey }, content }: Message): void {
    const same = this.#unconfirmed.get(keyOf({ exchange, routingKey, content }));
    const first = same?.find(({ returned }) => !returned);
    if (first) first.returned = true;
  }
}

/** The same for the same message: one lookup, however many wait. */
function keyOf({
  exchange,
  routingKey,
  content,
}: Pick<OutgoingMessage, 'exchange' | 'routingKey' | 'content'>): string {
  const digest = createHash('sha256').update(content).digest('base64');
  return JSON.stringify([exchange, routingKey, digest]);
}
