import { AmqpSession } from '../../src/amqp/session.ts';
import type { AmqpSessionOptions } from '../../src/amqp/session-options.ts';
import { systemClock, type Clock } from '../../src/base/clock.ts';
import type { Logger } from '../../src/base/log.ts';
import { parseConfig } from '../../src/oslo/config-parser.ts';
import { OsloConfig } from '../../src/oslo/oslo-config.ts';
import { readRabbitOptions } from '../../src/oslo/rabbit-options.ts';
import { RpcServer, type Dispatcher } from '../../src/oslo/rpc-server.ts';
import { controlExchange, rpcServerTopology } from '../../src/oslo/rpc-topology.ts';
import { parseTransportUrl } from '../../src/oslo/transport-url.ts';
import { newUniqueId } from '../../src/oslo/unique-id.ts';
import { until } from './until.ts';

/** An RPC server without Trove: session and server, from a configuration file as the agent's. */
interface OsloGuestOptions {
  topic: string;
  server: string;
  /** Text as of trove-guestagent.conf. */
  config: string;
  dispatcher: Dispatcher;
  log: Logger;
  /** That of the server; the session has the system's. */
  clock?: Clock;
  session?: Partial<AmqpSessionOptions>;
}

/** Makes a guest that is not started yet. */
export function makeOsloGuest(options: OsloGuestOptions): AmqpSession {
  const { topic, server: name, config, dispatcher, log, clock = systemClock } = options;
  const oslo = new OsloConfig(parseConfig(config, 'guest.conf'));
  const transport = parseTransportUrl(oslo.string('DEFAULT', 'transport_url', ''));
  const rabbit = readRabbitOptions(oslo, transport.options);
  const names = { topic, server: name, fanoutId: newUniqueId() };
  const { topology, consumers } = rpcServerTopology(names, rabbit);
  const session: AmqpSession = new AmqpSession({
    brokers: transport.brokers,
    tls: rabbit.tls,
    heartbeatSeconds: rabbit.heartbeatSeconds,
    topology,
    consumers: consumers.map((consumer) => ({
      ...consumer,
      onDelivery: (delivery) => server.onDelivery(delivery),
    })),
    prefetch: rabbit.prefetchCount,
    publishTopology: { exchanges: [controlExchange(rabbit)], queues: [], bindings: [] },
    clock: systemClock,
    random: () => 0,
    stopGrace: 200,
    log,
    ...options.session,
  });
  const server = new RpcServer({ publisher: session, dispatcher, clock, log });
  return session;
}

/** Starts a guest; resolves when it consumes. */
export async function startOsloGuest(options: OsloGuestOptions): Promise<AmqpSession> {
  const session = makeOsloGuest(options);
  session.start();
  await until('the guest consumes', () => session.connected);
  return session;
}
