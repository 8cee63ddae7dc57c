import type { Consumer } from '../amqp/consumer-channel.ts';
import type { SetBy } from '../amqp/inequivalent.ts';
import { StreamOffset } from '../amqp/stream-offset.ts';
import type {
  DeclarationArguments,
  ExchangeDeclaration,
  QueueDeclaration,
  Topology,
} from '../amqp/topology.ts';
import type { RabbitOptions } from './rabbit-options.ts';

/** Which options a declaration comes from, for a broker that holds it differently. */
const SET_BY: SetBy = {
  durable: 'amqp_durable_queues (or rabbit_quorum_queue)',
  auto_delete: 'amqp_auto_delete',
  'x-queue-type': 'rabbit_quorum_queue',
  'x-delivery-limit': 'rabbit_quorum_delivery_limit',
  'x-max-in-memory-length': 'rabbit_quorum_max_memory_length',
  'x-max-in-memory-bytes': 'rabbit_quorum_max_memory_bytes',
};
const TRANSIENT_SET_BY: SetBy = {
  ...SET_BY,
  durable: 'rabbit_transient_quorum_queue',
  'x-queue-type': 'rabbit_transient_quorum_queue',
  'x-expires': 'rabbit_transient_queues_ttl',
};

const STREAM_SET_BY: SetBy = {
  durable: 'rabbit_stream_fanout',
  'x-queue-type': 'rabbit_stream_fanout',
  'x-max-age': 'rabbit_transient_queues_ttl',
};

/** What an RPC server listens on. */
export interface RpcServerTopology {
  topology: Topology;
  /** All get the same handler. */
  consumers: Omit<Consumer, 'onDelivery'>[];
}

/** Who an RPC server is. */
interface RpcServerName {
  /** For a guest `guestagent.<guest_id>`. */
  topic: string;
  /** For a guest its guest_id. */
  server: string;
  /** 32 hex digits, new for each process: the name of its own fanout queue. */
  fanoutId: string;
}

/**
 * What oslo.messaging's RPC server declares and consumes (docs/contracts/trove.md, 1.1): the queue
 * of the topic, that of the server, and a fanout queue of its own, which goes at a clean stop while
 * the others stay and keep what is sent meanwhile.
 */
export function rpcServerTopology(
  { topic, server, fanoutId }: RpcServerName,
  options: RabbitOptions,
): RpcServerTopology {
  const control = controlExchange(options);
  const fanout = `${topic}_fanout`;
  const toServer = `${topic}.${server}`;
  const stream = options.streamFanout ? new StreamOffset() : undefined;
  const fanoutQueue = stream ? fanout : `${fanout}_${fanoutId}`;
  return {
    topology: {
      exchanges: [
        control,
        {
          name: fanout,
          type: 'fanout',
          durable: options.transientQuorumQueue || options.streamFanout,
          autoDelete: true,
          arguments: {},
          setBy: stream ? STREAM_SET_BY : TRANSIENT_SET_BY,
        },
      ],
      queues: [
        topicQueue(topic, options),
        topicQueue(toServer, options),
        stream ? streamQueue(fanoutQueue, options) : transientQueue(fanoutQueue, options),
      ],
      bindings: [
        { queue: topic, exchange: control.name, routingKey: topic },
        { queue: toServer, exchange: control.name, routingKey: toServer },
        { queue: fanoutQueue, exchange: fanout, routingKey: topic },
      ],
    },
    consumers: [topic, toServer, fanoutQueue].map((queue, index) => ({
      queue,
      consumerTag: String(index + 1),
      ...(queue === fanoutQueue && stream
        ? { offset: stream }
        : { arguments: options.cancelOnFailover ? { 'x-cancel-on-ha-failover': true } : {} }),
    })),
  };
}

/** The exchange that casts to others go through; declared like this before they are published. */
export function controlExchange(options: RabbitOptions): ExchangeDeclaration {
  return {
    name: options.controlExchange,
    type: 'topic',
    durable: options.durableQueues || options.quorumQueue,
    autoDelete: options.autoDelete,
    arguments: {},
    setBy: { ...SET_BY, type: 'control_exchange' },
  };
}

function topicQueue(name: string, options: RabbitOptions): QueueDeclaration {
  return {
    name,
    durable: options.durableQueues || options.quorumQueue,
    autoDelete: options.autoDelete,
    exclusive: false,
    arguments: {
      ...highAvailability(options),
      ...(options.quorumQueue ? quorumArguments(options) : {}),
    },
    setBy: SET_BY,
    deleteOnStop: false,
  };
}

function transientQueue(name: string, options: RabbitOptions): QueueDeclaration {
  const ttl = options.transientQueuesTtlSeconds;
  return {
    name,
    durable: options.transientQuorumQueue,
    autoDelete: false,
    exclusive: false,
    arguments: {
      ...highAvailability(options),
      ...(options.transientQuorumQueue ? quorumArguments(options) : {}),
      ...(ttl > 0 ? { 'x-expires': ttl * 1_000 } : {}),
    },
    setBy: TRANSIENT_SET_BY,
    deleteOnStop: true,
  };
}

/** Of all listeners; what is older than the TTL goes, and the stream itself stays. */
function streamQueue(name: string, options: RabbitOptions): QueueDeclaration {
  const ttl = options.transientQueuesTtlSeconds;
  return {
    name,
    durable: true,
    autoDelete: false,
    exclusive: false,
    arguments: { 'x-queue-type': 'stream', ...(ttl > 0 ? { 'x-max-age': `${ttl}s` } : {}) },
    setBy: STREAM_SET_BY,
    deleteOnStop: false,
  };
}

function highAvailability({ haQueues }: RabbitOptions): DeclarationArguments {
  return haQueues ? { 'x-ha-policy': 'all' } : {};
}

function quorumArguments(options: RabbitOptions): DeclarationArguments {
  const limits = Object.entries({
    'x-delivery-limit': options.quorumDeliveryLimit,
    'x-max-in-memory-length': options.quorumMaxMemoryLength,
    'x-max-in-memory-bytes': options.quorumMaxMemoryBytes,
  }).filter(([, limit]) => limit > 0);
  return { 'x-queue-type': 'quorum', ...Object.fromEntries(limits) };
}
