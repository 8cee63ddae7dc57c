import type { Channel, ChannelModel } from 'amqplib';
import type { Connection } from './connection.ts';
import { InequivalentDeclaration } from './inequivalent.ts';
import { declareTopology, type Topology } from './topology.ts';

/** A channel on which a topology was declared. */
interface DeclaredChannel<C extends Channel> {
  channel: C;
  /** Resolves with the reason when the channel is closed, by anybody. Never rejects. */
  closed: Promise<string>;
}

/**
 * Opens a channel and declares the topology on it. Where the broker holds something that was
 * declared differently, `onDifference` is told and the thing is used as it is: a guest that
 * consumes from a queue with a wrong flag is better than one that does not answer at all, and the
 * next reset tries the declaration again. Throws what amqplib throws for every other failure.
 */
export async function openDeclaredChannel<C extends Channel>(
  connection: Connection,
  create: (model: ChannelModel) => Promise<C>,
  topology: Topology,
  onDifference: (difference: InequivalentDeclaration) => void,
): Promise<DeclaredChannel<C>> {
  const asTheyAre = new Set<string>();
  for (;;) {
    const channel = await connection.channel(create);
    const closed = whenClosed(channel, connection.over);
    try {
      await declareTopology(channel, topology, asTheyAre);
      return { channel, closed };
    } catch (error) {
      if (!(error instanceof InequivalentDeclaration)) throw error;
      onDifference(error);
      asTheyAre.add(error.what);
    }
  }
}

function whenClosed(channel: Channel, connectionOver: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    let reason = 'closed';
    const onClose = (): void => {
      connectionOver.removeEventListener('abort', onClose);
      resolve(reason);
    };
    channel.on('error', (error) => {
      reason = error.message;
    });
    channel.on('close', onClose);
    // For a channel that was closed before we could listen.
    connectionOver.addEventListener('abort', onClose);
    if (connectionOver.aborted) onClose();
  });
}
