import { EventEmitter } from 'node:events';
import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage } from 'amqplib';
import type { Connection } from '../../src/amqp/connection.ts';

type OnMessage = (message: ConsumeMessage | null) => void;
type OnAnswer = (error: unknown) => void;

/** A channel of amqplib that only keeps what is asked of it, each call as its name and arguments. */
export class FakeChannel extends EventEmitter {
  readonly calls: unknown[][] = [];
  /** What hands a message to each consumer, by its queue. */
  readonly consumers = new Map<string, OnMessage>();
  /** What answers each publication, the first one first. */
  readonly answers: OnAnswer[] = [];
  /** The error that a call fails with; none when it succeeds. */
  readonly #failure: (name: string, subject: unknown) => Error | undefined;

  constructor(failure: (name: string, subject: unknown) => Error | undefined = () => undefined) {
    super();
    this.#failure = failure;
  }

  get asChannel(): ConfirmChannel {
    return this as unknown as ConfirmChannel;
  }

  /** The names and first arguments of all calls. */
  get done(): string[] {
    return this.calls.map(([name, subject]) => `${String(name)} ${String(subject)}`);
  }

  /** @public */
  checkExchange = (...args: unknown[]): Promise<void> => this.#call('checkExchange', args);
  /** @public */
  assertExchange = (...args: unknown[]): Promise<void> => this.#call('assertExchange', args);
  /** @public */
  checkQueue = (...args: unknown[]): Promise<void> => this.#call('checkQueue', args);
  /** @public */
  assertQueue = (...args: unknown[]): Promise<void> => this.#call('assertQueue', args);
  /** @public */
  bindQueue = (...args: unknown[]): Promise<void> => this.#call('bindQueue', args);
  /** @public */
  deleteQueue = (...args: unknown[]): Promise<void> => this.#call('deleteQueue', args);
  /** @public */
  prefetch = (...args: unknown[]): Promise<void> => this.#call('prefetch', args);
  /** @public */
  cancel = (...args: unknown[]): Promise<void> => this.#call('cancel', args);
  /** @public */
  ack = (...args: unknown[]): void => void this.calls.push(['ack', ...args]);
  /** @public */
  reject = (...args: unknown[]): void => void this.calls.push(['reject', ...args]);
  /** As amqplib's when the connection goes first: it never settles. @public */
  close = (): Promise<void> => {
    this.calls.push(['close']);
    return new Promise(() => undefined);
  };

  /** @public */
  consume(queue: string, onMessage: OnMessage, options: unknown): Promise<void> {
    this.consumers.set(queue, onMessage);
    return this.#call('consume', [queue, options]);
  }

  /** @public */
  publish(...[exchange, key, content, options, onAnswer]: [...unknown[], OnAnswer]): void {
    const failure = this.#failure('publish', exchange);
    if (failure) throw failure;
    this.calls.push(['publish', exchange, key, content, options]);
    this.answers.push(onAnswer as OnAnswer);
  }

  #call(name: string, args: unknown[]): Promise<void> {
    this.calls.push([name, ...args]);
    const failure = this.#failure(name, args[0]);
    return failure ? Promise.reject(failure) : Promise.resolve();
  }
}

/** A connection that opens these channels in turn, and is over when `over` is aborted. */
export function connectionWith(
  channels: readonly FakeChannel[],
  over: AbortSignal = new AbortController().signal,
): Connection {
  const left = [...channels];
  const next = (): Promise<Channel> => {
    const channel = left.shift();
    return channel
      ? Promise.resolve(channel.asChannel)
      : Promise.reject(new Error('no channel is left'));
  };
  const model = { createChannel: next, createConfirmChannel: next } as unknown as ChannelModel;
  return {
    over,
    channel: <C>(create: (opened: ChannelModel) => Promise<C>) => create(model),
  } as unknown as Connection;
}

/** As amqplib shows RabbitMQ's 406 about a flag that is different there. */
export function different(what: string): Error {
  return new Error(
    `Operation failed; 406 (PRECONDITION-FAILED) with message "PRECONDITION_FAILED - inequivalent arg 'durable' for ${what} in vhost '/': received 'false' but current is 'true'"`,
  );
}
