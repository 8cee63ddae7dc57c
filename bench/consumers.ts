import amqplib, { type Channel, type ChannelModel } from 'amqplib';
import { sleep, systemClock } from '../src/base/clock.ts';
import type { Guest } from './guests.ts';

/** Looks at the queues of guests, often enough to time them. */
export class Consumers {
  readonly #connection: ChannelModel;
  readonly #channel: Channel;

  private constructor(connection: ChannelModel, channel: Channel) {
    this.#connection = connection;
    this.#channel = channel;
  }

  static async open(transportUrl: string): Promise<Consumers> {
    const url = transportUrl.replace('rabbit:', 'amqp:');
    const connection = await amqplib.connect(url, { noDelay: true });
    const channel = await connection.createChannel();
    return new Consumers(connection, channel);
  }

  /** Makes the queue of a guest, as Trove does before the VM boots. */
  async makeQueue({ id }: Guest): Promise<void> {
    await this.#channel.assertQueue(`guestagent.${id}`, { durable: false });
  }

  /** Resolves when the queue of a guest has so many consumers. Looks every 2 ms. */
  async until({ id, name }: Guest, count: 0 | 1): Promise<void> {
    const limit = systemClock.monotonic() + 30_000;
    for (;;) {
      const { consumerCount } = await this.#channel.checkQueue(`guestagent.${id}`);
      if (consumerCount === count) return;
      if (systemClock.monotonic() > limit) throw new Error(`${name} does not consume`);
      await sleep(systemClock, 2);
    }
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}
