import type { ConfirmChannel, Message } from 'amqplib';
import { AgentError, messageOf } from '../base/errors.ts';
import type { Connection } from './connection.ts';
import { openDeclaredChannel } from './declared-channel.ts';
import type { InequivalentDeclaration } from './inequivalent.ts';
import type { OutgoingMessage, Publisher, PublishOutcome } from './message.ts';
import type { Topology } from './topology.ts';

/** A message that the broker has not answered for yet. */
interface Unconfirmed {
  message: OutgoingMessage;
  returned: boolean;
}

/** A channel of its own for publishing, so that its errors cost no delivery. */
export class PublisherChannel implements Publisher {
  /** Resolves with the reason when this channel must be opened anew. */
  readonly lost: Promise<string>;
  readonly #channel: ConfirmChannel;
  readonly #unconfirmed = new Set<Unconfirmed>();

  private constructor(channel: ConfirmChannel, closed: Promise<string>) {
    this.#channel = channel;
    this.lost = closed;
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
      const unconfirmed: Unconfirmed = { message, returned: false };
      const onAnswer = (error: unknown): void => {
        this.#unconfirmed.delete(unconfirmed);
        if (error) reject(notConfirmed(message, error));
        else resolve(unconfirmed.returned ? 'returned' : 'confirmed');
      };
      this.#unconfirmed.add(unconfirmed);
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

  /**
   * The broker gives an unroutable message back before it confirms it, and other confirms may
   * come in between. What it gives back is the whole message, so nothing has to be added to the
   * wire to know it again; of two equal ones the first was published, and is returned, first.
   */
  #onReturn({ fields, content }: Message): void {
    for (const unconfirmed of this.#unconfirmed) {
      const { message, returned } = unconfirmed;
      if (
        message.mandatory &&
        !returned &&
        message.routingKey === fields.routingKey &&
        message.exchange === fields.exchange &&
        message.content.equals(content)
      ) {
        unconfirmed.returned = true;
        return;
      }
    }
  }
}

function notConfirmed({ exchange, routingKey }: OutgoingMessage, cause: unknown): AgentError {
  const to = `exchange "${exchange}" with key "${routingKey}"`;
  return new AgentError(`the message to ${to} was not confirmed: ${messageOf(cause)}`, {
    cause,
    retryable: true,
  });
}
