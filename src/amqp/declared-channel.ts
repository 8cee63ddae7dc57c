import type { Channel } from 'amqplib';
import type { Logger } from '../base/log.ts';
import { declareTopology, InequivalentDeclaration, type Topology } from './topology.ts';

/** A channel on which a topology was declared. */
interface DeclaredChannel<C extends Channel> {
  channel: C;
  /** Resolves with the reason when the channel is closed, by anybody. Never rejects. */
  closed: Promise<string>;
}

/**
 * Opens a channel and declares the topology on it. Where the broker holds something that was
 * declared differently, that is said loudly and the thing is used as it is: a guest that consumes
 * from a queue with a wrong flag is better than one that does not answer at all, and the next
 * reset tries the declaration again. Throws what amqplib throws for every other failure.
 */
export async function openDeclaredChannel<C extends Channel>(
  create: () => Promise<C>,
  topology: Topology,
  log: Logger,
): Promise<DeclaredChannel<C>> {
  const asTheyAre = new Set<string>();
  for (;;) {
    const channel = await create();
    const closed = whenClosed(channel);
    try {
      await declareTopology(channel, topology, asTheyAre);
      return { channel, closed };
    } catch (error) {
      if (!(error instanceof InequivalentDeclaration)) throw error;
      log.error(
        { err: error },
        'the broker holds a different declaration and it is used as it is; make both sides declare the same',
      );
      asTheyAre.add(error.what);
    }
  }
}

function whenClosed(channel: Channel): Promise<string> {
  return new Promise((resolve) => {
    let reason = 'closed';
    channel.on('error', (error) => {
      reason = error.message;
    });
    channel.on('close', () => {
      resolve(reason);
    });
  });
}
