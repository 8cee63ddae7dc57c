import type { Channel, ConsumeMessage } from 'amqplib';
import type { Logger } from '../base/log.ts';
import type { Connection } from './connection.ts';
import { openDeclaredChannel } from './declared-channel.ts';
import type { InFlight } from './in-flight.ts';
import type { InequivalentDeclaration } from './inequivalent.ts';
import type { Delivery, OnDelivery } from './message.ts';
import type { StreamOffset } from './stream-offset.ts';
import type { DeclarationArguments, Topology } from './topology.ts';

/** One consumer of a queue of the topology. */
export interface Consumer {
  queue: string;
  /** Unique on its channel. */
  consumerTag: string;
  /** Default: none. */
  arguments?: DeclarationArguments;
  /** For a stream: where to go on. Default: it is none. */
  offset?: StreamOffset;
  onDelivery: OnDelivery;
}

interface ConsumerChannelOptions {
  topology: Topology;
  consumers: readonly Consumer[];
  /** Unacknowledged messages per consumer; 0 = any number, and basic.qos is not sent. */
  prefetch: number;
  inFlight: InFlight;
  /** Takes note of each delivery; whether it was a message to oneself. */
  onDelivered: (queue: string, headers: Readonly<Record<string, unknown>>) => boolean;
  /** Told what the broker holds differently. */
  onDifference: (difference: InequivalentDeclaration) => void;
  log: Logger;
}

/** The channel that everything is consumed on. */
export class ConsumerChannel {
  /** Resolves with the reason when this channel must be opened anew. */
  readonly lost: Promise<string>;
  readonly #channel: Channel;
  readonly #options: ConsumerChannelOptions;
  readonly #closed: Promise<string>;
  #open = true;
  #lose: (why: string) => void = () => undefined;

  private constructor(channel: Channel, closed: Promise<string>, options: ConsumerChannelOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#closed = closed;
    channel.on('close', () => {
      this.#open = false;
    });
    this.lost = Promise.race([
      closed,
      new Promise<string>((resolve) => {
        this.#lose = resolve;
      }),
    ]);
  }

  /** Declares the topology and consumes. Throws what amqplib throws. */
  static async open(
    connection: Connection,
    options: ConsumerChannelOptions,
  ): Promise<ConsumerChannel> {
    const { channel, closed } = await openDeclaredChannel(
      connection,
      (model) => model.createChannel(),
      options.topology,
      options.onDifference,
    );
    const opened = new ConsumerChannel(channel, closed, options);
    if (options.prefetch > 0) await channel.prefetch(options.prefetch);
    for (const consumer of options.consumers) await opened.#consume(consumer);
    return opened;
  }

  /** Takes no more messages; those that are being handled can still be acknowledged. */
  async cancel(): Promise<void> {
    for (const { consumerTag } of this.#options.consumers) await this.#channel.cancel(consumerTag);
  }

  async deleteQueue(name: string): Promise<void> {
    await this.#channel.deleteQueue(name);
  }

  /** Leaves the channel; what it delivered and was not acknowledged is delivered again. */
  async close(): Promise<void> {
    if (this.#open) {
      this.#open = false;
      // amqplib never settles this promise when the connection goes first; the event comes always.
      this.#channel.close().catch(() => undefined);
    }
    await this.#closed;
  }

  async #consume({
    queue,
    consumerTag,
    arguments: args,
    offset,
    onDelivery,
  }: Consumer): Promise<void> {
    await this.#channel.consume(
      queue,
      (message) => {
        if (message === null) {
          // The queue was deleted, or its node left the broker's cluster.
          offset?.reset();
          this.#lose(`the broker cancelled the consumer of ${queue}`);
          return;
        }
        offset?.note(message.properties.headers);
        if (this.#options.onDelivered(queue, message.properties.headers ?? {})) {
          this.#channel.ack(message);
          return;
        }
        void this.#options.inFlight.track(this.#handle(this.#delivery(message), onDelivery));
      },
      {
        consumerTag,
        noAck: false,
        exclusive: false,
        noLocal: false,
        arguments: { ...args, ...offset?.arguments },
      },
    );
  }

  async #handle(delivery: Delivery, onDelivery: OnDelivery): Promise<void> {
    try {
      await onDelivery(delivery);
    } catch (err) {
      // It costs this message only: amqplib would close the channel if it got to see the error.
      this.#options.log.error(
        { err, routingKey: delivery.routingKey },
        'a message was not handled',
      );
      delivery.reject();
    }
  }

  #delivery(message: ConsumeMessage): Delivery {
    let settled = false;
    const settle = (how: () => void): void => {
      if (settled || !this.#open) return;
      settled = true;
      how();
    };
    return {
      content: message.content,
      contentType: message.properties.contentType,
      headers: message.properties.headers ?? {},
      routingKey: message.fields.routingKey,
      redelivered: message.fields.redelivered,
      ack: () => {
        settle(() => {
          this.#channel.ack(message);
        });
      },
      reject: () => {
        settle(() => {
          this.#channel.reject(message, false);
        });
      },
    };
  }
}
