import type { Channel } from 'amqplib';
import { InequivalentDeclaration, type SetBy } from './inequivalent.ts';

/**
 * What must exist at the broker, as data: applied anew after each reset, so that reconnecting is
 * not a special path. Every flag is written out, because amqplib's defaults (durable) are not those
 * of oslo.messaging, and a difference breaks the other side (docs/contracts/trove.md, 1.1 and 1.3).
 */
export interface Topology {
  exchanges: readonly ExchangeDeclaration[];
  queues: readonly QueueDeclaration[];
  bindings: readonly Binding[];
}

/** Arguments of a declaration, such as `x-expires`. */
export type DeclarationArguments = Readonly<Record<string, string | number | boolean>>;

interface Declaration {
  name: string;
  /** For the message about a difference, by the broker's names: `durable`, `x-expires` … */
  setBy?: SetBy;
}

export interface ExchangeDeclaration extends Declaration {
  type: 'topic' | 'fanout' | 'direct';
  durable: boolean;
  /** The broker deletes it when its last binding goes. */
  autoDelete: boolean;
  arguments: DeclarationArguments;
}

export interface QueueDeclaration extends Declaration {
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
  for (const exchange of topology.exchanges) {
    const { name, type, durable, autoDelete, arguments: args, setBy = {} } = exchange;
    await declareOne(`exchange ${name}`, asTheyAre, {
      setBy,
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
  for (const queue of topology.queues) {
    const { name, durable, autoDelete, exclusive, arguments: args, setBy = {} } = queue;
    await declareOne(`queue ${name}`, asTheyAre, {
      setBy,
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
  how: { setBy: SetBy; check: () => Promise<unknown>; declare: () => Promise<unknown> },
): Promise<void> {
  if (asTheyAre.has(what)) {
    await how.check();
    return;
  }
  try {
    await how.declare();
  } catch (error) {
    throw InequivalentDeclaration.from(what, how.setBy, error) ?? error;
  }
}
