import { randomUUID } from 'node:crypto';
import type { OnDelivery, Publisher } from '../../amqp/message.ts';
import { AmqpSession } from '../../amqp/session.ts';
import type { Random } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { RpcServer, type TriesAgain } from '../../oslo/rpc-server.ts';
import { controlExchange, rpcServerTopology } from '../../oslo/rpc-topology.ts';
import { withServerPing } from '../../oslo/server-ping.ts';
import {
  createGuestDispatcher,
  type GuestHandlers,
  type RefusedCast,
} from '../../trove/dispatcher.ts';
import type { GuestConfig } from '../../trove/guest-config.ts';
import { GuestSerializer, type ContextMemory } from '../../trove/guest-serializer.ts';
import { guestTopic } from '../../trove/topics.ts';
import { UnreadableRequests } from '../../trove/unreadable-requests.ts';
import type { Settings } from '../settings.ts';

/** What a session with Trove's broker is made from. */
export interface TroveSessionOptions {
  settings: Settings;
  /** Gets what is delivered, as soon as it is there. */
  server: Promise<RpcServer>;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** The AMQP session on which this guest listens and speaks. */
export function createSession(options: TroveSessionOptions): AmqpSession {
  const { settings, server, clock, random, log } = options;
  const { guest, rabbit } = settings;
  const { amqp } = settings.agent;
  if (guest.transport.mixedCredentials) {
    log.warn('transport_url gives credentials for some of its hosts only: is that meant?');
  }
  if (rabbit.unused.length > 0) {
    log.info({ options: rabbit.unused }, 'these options of oslo.messaging mean nothing here');
  }
  const onDelivery: OnDelivery = async (delivery) => (await server).onDelivery(delivery);
  const { topology, consumers } = rpcServerTopology(
    {
      topic: guestTopic(guest.guestId),
      server: guest.guestId,
      fanoutId: randomUUID().replaceAll('-', ''),
    },
    rabbit,
  );
  return new AmqpSession({
    brokers: guest.transport.brokers,
    tls: rabbit.tls,
    heartbeatSeconds: rabbit.heartbeatSeconds,
    topology,
    consumers: consumers.map((consumer) => ({ ...consumer, onDelivery })),
    prefetch: rabbit.prefetchCount,
    backoff: {
      first: amqp.reconnect_first * 1000,
      second: amqp.reconnect_second * 1000,
      cap: amqp.reconnect_cap * 1000,
      later: { after: amqp.reconnect_late_after * 1000, cap: amqp.reconnect_late_cap * 1000 },
      jitter: 0.25,
    },
    publishTopology: { exchanges: [controlExchange(rabbit)], queues: [], bindings: [] },
    clock,
    random,
    log,
  });
}

/** What the server of the guest API is made from. */
export interface GuestServerOptions {
  guest: GuestConfig;
  publisher: Publisher;
  handlers: GuestHandlers;
  /** Tells Trove of a cast that cannot be run; nobody would hear of it otherwise. */
  onRefusedCast: (refused: RefusedCast) => Promise<void>;
  /** Whether an earlier agent has taken charge of the request with this id. */
  isKnown: (id: string) => boolean;
  triesAgain: TriesAgain;
  /** Which encrypted context came with which request. */
  contexts: ContextMemory;
  /** Bytes of the largest message that is read. */
  largestBody: number;
  clock: Clock;
  log: Logger;
}

/** The server of the guest API: decrypts, checks, has a handler answer, encrypts. */
export function createRpcServer(options: GuestServerOptions): RpcServer {
  const { guest, publisher, handlers, isKnown, triesAgain, largestBody, clock, log } = options;
  const unreadable = new UnreadableRequests(clock, log);
  const serializer = new GuestSerializer(guest.instanceKey, {
    contexts: options.contexts,
    onUnreadable: (error) => unreadable.note(error),
  });
  const dispatcher = createGuestDispatcher({
    serializer,
    handlers,
    onRefusedCast: (refused) =>
      options
        .onRefusedCast(refused)
        .catch((err: unknown) => log.error({ err }, 'Trove was not told of a refused cast')),
    log,
  });
  return new RpcServer({
    publisher,
    dispatcher: guest.rpcPingEnabled ? withServerPing(dispatcher, serializer) : dispatcher,
    isKnown,
    triesAgain,
    largestBody,
    clock,
    log,
  });
}
