import type { Publisher } from '../../amqp/message.ts';
import { encodeCast } from '../../oslo/cast.ts';
import { WIRE_PROPERTIES } from '../../oslo/envelope.ts';
import type { ConductorMessage } from '../../trove/conductor-messages.ts';
import type { ConductorSerializer } from '../../trove/conductor-serializer.ts';
import { CONDUCTOR_RPC_VERSION } from '../../trove/topics.ts';
import type { SendToConductor } from './outbox.ts';

/** Where the conductor listens. */
export interface ConductorAddress {
  exchange: string;
  routingKey: string;
}

/**
 * Sends to Trove's conductor: encrypted when the instance has a key, and mandatory, so that a
 * conductor queue that does not exist is noticed.
 */
export function conductorSender(
  publisher: Publisher,
  address: ConductorAddress,
  serializer: ConductorSerializer,
): SendToConductor {
  return (message: ConductorMessage) =>
    publisher.publish({
      ...address,
      content: encodeCast({
        method: message.method,
        version: CONDUCTOR_RPC_VERSION,
        ...serializer.encode(message),
      }),
      properties: WIRE_PROPERTIES,
      mandatory: true,
    });
}
