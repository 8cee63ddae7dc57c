import type { Channel } from 'amqplib';
import { AgentError, messageOf } from '../base/errors.ts';

/**
 * What must exist at the broker, as data: applied anew after each reset, so that reconnecting is
 * not a special path. Every flag is written out, because amqplib's defaults (durable) are not
 * those of oslo.messaging, and a difference breaks the other side (trove-rpc contract, section 1).
 */
export interface Topology {
  exchanges: readonly ExchangeDeclaration[];
  queues: readonly QueueDeclaration[];
  bindings: readonly Binding[];
}

/** Arguments of a declaration, such as `x-expires`. */
export type DeclarationArguments = Readonly<Record<string, string | number | boolean>>;

export interface ExchangeDeclaration {
  name: string;
  type: 'topic' | 'fanout' | 'direct';
  durable: boolean;
  /** The broker deletes it when its last binding goes. */
  autoDelete: boolean;
  arguments: DeclarationArguments;
}

export interface QueueDeclaration {
  name: string;
  durable: boolean;
  /** The broker deletes it when its last consumer goes. */
  autoDelete: boolean;
  /** Only the connection that declares it may use it. */
  exclusive: boolean;
  arguments: DeclarationArguments;
  /** Whether the session deletes it at a clean stop. */
  deleteOnStop: boolean;
}

interface Binding {
  queue: string;
  exchange: string;
  routingKey: string;
}

/** The broker holds something of this name that was declared differently (406). */
export class InequivalentDeclaration extends AgentError {
  /** What is declared differently, for example `queue guestagent.1`. */
  readonly what: string;

  constructor(what: string, cause: unknown) {
    super('amqp-inequivalent', `${what} is declared differently: ${messageOf(cause)}`, { cause });
    this.what = what;
  }
}

/**
 * Declares everything in order: exchanges, queues, bindings. What is named in `asTheyAre` is only
 * checked to exist. Throws InequivalentDeclaration, or what amqplib throws; the channel is closed
 * by the broker in both cases.
 */
export async function declareTopology(
  channel: Channel,
  topology: Topology,
  asTheyAre: ReadonlySet<string>,
): Promise<void> {
  for (const { name, type, durable, autoDelete, arguments: args } of topology.exchanges) {
    await declareOne(`exchange ${name}`, asTheyAre, {
      check: () => channel.checkExchange(name),
      declare: () =>
        channel.assertExchange(name, type, {
          durable,
          autoDelete,
          internal: false,
          arguments: { ...args },
        }),
    });
  }
  for (const { name, durable, autoDelete, exclusive, arguments: args } of topology.queues) {
    await declareOne(`queue ${name}`, asTheyAre, {
      check: () => channel.checkQueue(name),
      declare: () =>
        channel.assertQueue(name, { durable, autoDelete, exclusive, arguments: { ...args } }),
    });
  }
  for (const { queue, exchange, routingKey } of topology.bindings) {
    await channel.bindQueue(queue, exchange, routingKey);
  }
}

async function declareOne(
  what: string,
  asTheyAre: ReadonlySet<string>,
  how: { check: () => Promise<unknown>; declare: () => Promise<unknown> },
): Promise<void> {
  if (asTheyAre.has(what)) {
    await how.check();
    return;
  }
  try {
    await how.declare();
  } catch (error) {
    throw replyCodeOf(error) === PRECONDITION_FAILED
      ? new InequivalentDeclaration(what, error)
      : error;
  }
}

const PRECONDITION_FAILED = 406;

/** The AMQP reply code (404, 406 …) that amqplib puts on errors that the broker sent. */
function replyCodeOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'number' ? thrown.code : undefined;
}
