import { randomUUID } from 'node:crypto';
import {
  connect,
  type ChannelModel,
  type ConfirmChannel,
  type Message,
  type Options,
} from 'amqplib';
import { Cipher } from '../../src/trove/cipher.ts';
import { encodeEnvelope, isObject, type JsonObject } from '../../src/oslo/envelope.ts';
import { until } from './until.ts';

/** Whom to talk to. */
export interface RawCallerOptions {
  /** As in Trove's configuration. */
  transportUrl: string;
  exchange: string;
  /** The guest's Trove instance. */
  id: string;
  /** The key of its messages; null when they are not encrypted. */
  key: string | null;
  /** Where replies are to go. Default: a random name, as oslo.messaging's. */
  replyQueue?: string;
}

/** A reply as it came, its envelope opened; `result` is still encrypted if it was. */
export interface RawReply extends JsonObject {
  _msg_id: string;
  failure: string | null;
}

/** Talks to a guest in single messages, of any bytes; sees what comes back. */
export class RawCaller {
  readonly replyQueue: string;
  /** What came back, by _msg_id. */
  readonly replies = new Map<string, RawReply[]>();
  readonly #options: RawCallerOptions;
  readonly #cipher: Cipher | null;
  readonly #connection: ChannelModel;
  readonly #channel: ConfirmChannel;

  private constructor(
    options: RawCallerOptions,
    connection: ChannelModel,
    channel: ConfirmChannel,
  ) {
    this.#options = options;
    this.replyQueue = options.replyQueue ?? `reply_${randomUUID().replaceAll('-', '')}`;
    this.#cipher = options.key === null ? null : new Cipher(options.key);
    this.#connection = connection;
    this.#channel = channel;
  }

  static async open(options: RawCallerOptions): Promise<RawCaller> {
    const url = options.transportUrl.replace('rabbit:', 'amqp:');
    const connection = await connect(url, { noDelay: true });
    const channel = await connection.createConfirmChannel();
    const caller = new RawCaller(options, connection, channel);
    await channel.assertQueue(caller.replyQueue, { exclusive: true });
    const take = (message: Message | null): void => {
      // Null: the vhost is deleted while this is still open.
      if (message) caller.#take(message.content);
    };
    await channel.consume(caller.replyQueue, take, { noAck: true });
    return caller;
  }

  /** A request as Trove makes it; encrypted when there is a key. */
  request(method: string, args: JsonObject, more: JsonObject = {}): JsonObject {
    const seal = (value: unknown): unknown => this.#cipher?.encryptJson(value) ?? value;
    const sealed = Object.entries(args).map(([name, value]) => [name, seal(value)]);
    const context = { request_id: 'req-raw', user: 'somebody' };
    const plain = { _context_request_id: context.request_id, _context_user: context.user };
    return {
      method,
      args: Object.fromEntries(sealed) as JsonObject,
      version: '1.0',
      _unique_id: randomUUID().replaceAll('-', ''),
      ...(this.#cipher ? { _context_context: seal(context) } : plain),
      ...more,
    };
  }

  /** What makes a request a call whose reply comes here. */
  callFields(messageId: string = randomUUID()): JsonObject & { _msg_id: string } {
    return { _msg_id: messageId, _reply_q: this.replyQueue, _timeout: null };
  }

  /** Sends a request; resolves when the broker has it. */
  async send(request: JsonObject): Promise<void> {
    await this.publish(encodeEnvelope(request), { contentType: 'application/json' });
  }

  /** Sends any bytes to the guest's queue; resolves when the broker has them. */
  async publish(content: Buffer, properties: Options.Publish = {}): Promise<void> {
    const { exchange, id } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#channel.publish(exchange, `guestagent.${id}`, content, properties, (error: unknown) => {
        if (error instanceof Error) reject(error);
        else resolve();
      });
    });
  }

  /** Calls a method; resolves with the reply, or rejects after `seconds`. */
  async call(
    method: string,
    args: JsonObject = {},
    { seconds = 60, everyMs = 5 }: { seconds?: number; everyMs?: number } = {},
  ): Promise<RawReply> {
    const fields = this.callFields();
    await this.send(this.request(method, args, fields));
    const answer = (): RawReply | undefined => this.replies.get(fields._msg_id)?.[0];
    return until(`the answer to ${method}`, answer, { seconds, everyMs });
  }

  /** What a reply's `result` says. */
  resultOf(reply: RawReply): unknown {
    return this.#cipher ? this.#cipher.decryptJson(reply['result']) : reply['result'];
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  #take(content: Buffer): void {
    const outer: unknown = JSON.parse(content.toString());
    if (!isObject(outer)) throw new Error('a reply that is no object');
    const reply = JSON.parse(String(outer['oslo.message'])) as RawReply;
    this.replies.set(reply._msg_id, [...(this.replies.get(reply._msg_id) ?? []), reply]);
  }
}
