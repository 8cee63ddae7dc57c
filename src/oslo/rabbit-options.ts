import { ConfigurationError } from '../base/errors.ts';
import type { OsloConfig } from './oslo-config.ts';

/**
 * What [oslo_messaging_rabbit] (and control_exchange) say about declarations and connections.
 * Both sides must read the same values: a difference is a PRECONDITION_FAILED for one of them
 * (trove-rpc contract, section 1, has the table).
 */
export interface RabbitOptions {
  controlExchange: string;
  durableQueues: boolean;
  autoDelete: boolean;
  /** Queues of type quorum; durable whatever `durableQueues` says. */
  quorumQueue: boolean;
  /** x-delivery-limit and the like of quorum queues; 0 = not sent. */
  quorumDeliveryLimit: number;
  quorumMaxMemoryLength: number;
  quorumMaxMemoryBytes: number;
  /** Quorum for the queues of fanouts (and of replies, which are not ours). */
  transientQuorumQueue: boolean;
  /** `x-ha-policy: all` on every queue. */
  haQueues: boolean;
  /** How long an unused fanout queue lives; 0 = for ever. */
  transientQueuesTtlSeconds: number;
  /** Unacknowledged messages per consumer; 0 = any number. */
  prefetchCount: number;
  /** 0 = no heartbeats. */
  heartbeatSeconds: number;
}

const GROUP = 'oslo_messaging_rabbit';
const UINT16_MAX = 65_535;

/**
 * Reads the options; those in the query of transport_url beat the others. Throws
 * ConfigurationError for values that cannot be used and for what is not supported: TLS (rather
 * than connecting in plain text) and stream fanouts.
 */
export function readRabbitOptions(
  config: OsloConfig,
  urlOptions: Readonly<Record<string, string>> = {},
): RabbitOptions {
  const all = config.override(GROUP, urlOptions, 'the query of transport_url');
  const flag = (option: string): boolean => all.boolean(GROUP, option, false);
  const count = (option: string, fallback: number, max = Number.MAX_SAFE_INTEGER): number => {
    const value = all.integer(GROUP, option, fallback);
    if (value >= 0 && value <= max) return value;
    throw new ConfigurationError(
      `${all.where(GROUP, option) ?? GROUP}: ${option} is ${value}; it goes from 0 to ${max}`,
    );
  };
  const refuse = (option: string, why: string): void => {
    if (!flag(option)) return;
    throw new ConfigurationError(`${all.where(GROUP, option) ?? GROUP}: ${option} is on, ${why}`);
  };

  for (const option of ['ssl', 'rabbit_use_ssl']) {
    refuse(option, 'and TLS to the broker is not supported; nothing is sent in plain text instead');
  }
  refuse('rabbit_stream_fanout', 'and stream queues are not supported; switch it off');
  if (flag('rabbit_quorum_queue')) {
    refuse('rabbit_ha_queues', 'and cannot be together with rabbit_quorum_queue; switch one off');
  }
  return {
    controlExchange: config.string('DEFAULT', 'control_exchange', 'openstack'),
    durableQueues: flag('amqp_durable_queues'),
    // oslo.messaging 14.0.3 also looks for this one in [DEFAULT].
    autoDelete: all.boolean(
      GROUP,
      'amqp_auto_delete',
      all.boolean('DEFAULT', 'amqp_auto_delete', false),
    ),
    quorumQueue: flag('rabbit_quorum_queue'),
    quorumDeliveryLimit: count('rabbit_quorum_delivery_limit', 0),
    // The first spelling is that of 14.0.3, the second that of later releases.
    quorumMaxMemoryLength: count(
      'rabbit_quroum_max_memory_length',
      count('rabbit_quorum_max_memory_length', 0),
    ),
    quorumMaxMemoryBytes: count(
      'rabbit_quroum_max_memory_bytes',
      count('rabbit_quorum_max_memory_bytes', 0),
    ),
    transientQuorumQueue: flag('rabbit_transient_quorum_queue'),
    haQueues: flag('rabbit_ha_queues'),
    transientQueuesTtlSeconds: count('rabbit_transient_queues_ttl', 1_800),
    prefetchCount: count('rabbit_qos_prefetch_count', 0, UINT16_MAX),
    heartbeatSeconds: count('heartbeat_timeout_threshold', 60, UINT16_MAX),
  };
}
