import type { TlsOptions } from '../amqp/tls.ts';
import { ConfigurationError } from '../base/errors.ts';
import type { OsloConfig } from './oslo-config.ts';
import { RABBIT_GROUP as GROUP, readTlsOptions } from './rabbit-tls.ts';

/**
 * What [oslo_messaging_rabbit] (and control_exchange) say about declarations and connections. Both
 * sides must read the same values: a difference is a PRECONDITION_FAILED for one of them
 * (docs/contracts/trove.md, 1.2 and 1.3).
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
  /** One stream for each fanout, in place of a queue for each listener. */
  streamFanout: boolean;
  /** `x-ha-policy: all` on every queue. */
  haQueues: boolean;
  /** How long an unused fanout queue lives; 0 = for ever. */
  transientQueuesTtlSeconds: number;
  /** Unacknowledged messages per consumer; 0 = any number. */
  prefetchCount: number;
  /** After this silence the broker is taken for gone; 0 = no heartbeats. */
  heartbeatSeconds: number;
  /** `x-cancel-on-ha-failover` for every consumer. */
  cancelOnFailover: boolean;
  /** Undefined: plain TCP. */
  tls: TlsOptions | undefined;
  /** Options that are set and mean nothing to this agent, each with where it is set. */
  unused: string[];
}

const UINT16_MAX = 65_535;
/** What somebody may have tuned for the Python agent. docs/broker.md says what there is instead. */
const UNUSED = [
  'rabbit_retry_interval',
  'rabbit_retry_backoff',
  'rabbit_interval_max',
  'kombu_reconnect_delay',
  'kombu_failover_strategy',
  'kombu_missing_consumer_retry_timeout',
  'heartbeat_rate',
  'heartbeat_in_pthread',
  'direct_mandatory_flag',
];
const LOGIN_METHODS = ['AMQPLAIN', 'PLAIN'];

/**
 * Reads the options; those in the query of transport_url beat the others. Throws
 * ConfigurationError for values that cannot be used, for combinations that the broker refuses, and
 * for what is not supported and would be missed: compression, other login methods.
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
    throw refused(option, `is ${value}; it goes from 0 to ${max}`);
  };
  const refused = (option: string, what: string): ConfigurationError =>
    new ConfigurationError(`${all.where(GROUP, option) ?? GROUP}: ${option} ${what}`);
  const refuse = (option: string, why: string): void => {
    if (flag(option)) throw refused(option, `is on, ${why}`);
  };

  if (flag('rabbit_quorum_queue')) {
    refuse('rabbit_ha_queues', 'and cannot be together with rabbit_quorum_queue; switch one off');
    refuse('amqp_auto_delete', 'and RabbitMQ refuses quorum queues with it; switch one off');
  }
  if (flag('rabbit_stream_fanout')) {
    if (!flag('rabbit_transient_quorum_queue')) {
      throw refused(
        'rabbit_stream_fanout',
        'is on and needs rabbit_transient_quorum_queue; set both',
      );
    }
    if (count('rabbit_qos_prefetch_count', 0, UINT16_MAX) === 0) {
      throw refused(
        'rabbit_stream_fanout',
        'is on and needs rabbit_qos_prefetch_count; set it above 0',
      );
    }
  }
  const compression = all.string(GROUP, 'kombu_compression', '');
  if (compression !== '') {
    throw refused(
      'kombu_compression',
      `is ${compression}, and compressed messages are not read; unset it here and in Trove`,
    );
  }
  const login = all.string(GROUP, 'rabbit_login_method', 'AMQPLAIN');
  if (!LOGIN_METHODS.includes(login)) {
    throw refused('rabbit_login_method', `is ${login}; it can be ${LOGIN_METHODS.join(' or ')}`);
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
    streamFanout: flag('rabbit_stream_fanout'),
    haQueues: flag('rabbit_ha_queues'),
    transientQueuesTtlSeconds: count('rabbit_transient_queues_ttl', 1_800),
    prefetchCount: count('rabbit_qos_prefetch_count', 0, UINT16_MAX),
    heartbeatSeconds: count('heartbeat_timeout_threshold', 60, UINT16_MAX),
    cancelOnFailover: flag('enable_cancel_on_failover'),
    tls: readTlsOptions(all),
    unused: UNUSED.flatMap((option) => {
      const where = all.where(GROUP, option);
      return where === undefined ? [] : [`${option} (${where})`];
    }),
  };
}
