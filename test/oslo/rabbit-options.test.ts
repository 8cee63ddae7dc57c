import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/base/errors.ts';
import { parseConfig } from '../../src/oslo/config-parser.ts';
import { OsloConfig } from '../../src/oslo/oslo-config.ts';
import { readRabbitOptions, type RabbitOptions } from '../../src/oslo/rabbit-options.ts';

function read(text: string, urlOptions: Record<string, string> = {}): RabbitOptions {
  return readRabbitOptions(new OsloConfig(parseConfig(text, 'x.conf')), urlOptions);
}

const RABBIT = '[oslo_messaging_rabbit]\n';

describe('readRabbitOptions', () => {
  it('has the defaults of oslo.messaging', () => {
    expect(read('')).toEqual({
      controlExchange: 'openstack',
      durableQueues: false,
      autoDelete: false,
      quorumQueue: false,
      quorumDeliveryLimit: 0,
      quorumMaxMemoryLength: 0,
      quorumMaxMemoryBytes: 0,
      transientQuorumQueue: false,
      streamFanout: false,
      haQueues: false,
      transientQueuesTtlSeconds: 1800,
      prefetchCount: 0,
      heartbeatSeconds: 60,
      cancelOnFailover: false,
      tls: undefined,
      unused: [],
    });
  });

  it('tells which options are set and mean nothing here', () => {
    const file = `${RABBIT}rabbit_retry_interval = 1\nheartbeat_rate = 3\n`;
    expect(read(file, { kombu_reconnect_delay: '2' }).unused).toEqual([
      'rabbit_retry_interval (x.conf:2)',
      'kombu_reconnect_delay (the query of transport_url)',
      'heartbeat_rate (x.conf:3)',
    ]);
  });

  it('reads TLS from the query of transport_url too', () => {
    const options = read(`${RABBIT}ssl_ca_file = /ca\n`, { ssl: '1' });
    expect(options.tls).toEqual({ caFile: '/ca', verifyHost: false });
  });

  it('reads its group, and control_exchange from DEFAULT', () => {
    const options = read(
      `[DEFAULT]\ncontrol_exchange = trove\n${RABBIT}amqp_durable_queues = true\n` +
        'rabbit_quorum_queue = true\nrabbit_quroum_max_memory_length = 5\n' +
        'rabbit_quorum_max_memory_bytes = 6\nheartbeat_timeout_threshold = 0\n',
    );
    expect(options).toMatchObject({
      controlExchange: 'trove',
      durableQueues: true,
      quorumQueue: true,
      quorumMaxMemoryLength: 5,
      quorumMaxMemoryBytes: 6,
      heartbeatSeconds: 0,
    });
  });

  it('finds amqp_auto_delete in DEFAULT too, where its own group beats it', () => {
    expect(read('[DEFAULT]\namqp_auto_delete = on\n').autoDelete).toBe(true);
    const both = `[DEFAULT]\namqp_auto_delete = on\n${RABBIT}amqp_auto_delete = off\n`;
    expect(read(both).autoDelete).toBe(false);
  });

  it('lets the query of transport_url beat the file', () => {
    const file = `${RABBIT}heartbeat_timeout_threshold = 60\n`;
    expect(read(file, { heartbeat_timeout_threshold: '30' }).heartbeatSeconds).toBe(30);
  });

  it.each([
    [`${RABBIT}kombu_compression = gzip\n`, {}, 'x.conf:2: kombu_compression is gzip'],
    [`${RABBIT}rabbit_login_method = EXTERNAL\n`, {}, 'x.conf:2: rabbit_login_method is EXTERNAL'],
    [`${RABBIT}amqp_auto_delete = on\nrabbit_quorum_queue = on\n`, {}, 'amqp_auto_delete is on'],
    [`${RABBIT}rabbit_stream_fanout = true\n`, {}, 'needs rabbit_transient_quorum_queue'],
    [
      `${RABBIT}rabbit_stream_fanout = true\nrabbit_transient_quorum_queue = true\n`,
      {},
      'needs rabbit_qos_prefetch_count',
    ],
    [`${RABBIT}rabbit_ha_queues = on\nrabbit_quorum_queue = on\n`, {}, 'rabbit_ha_queues is on'],
    [`${RABBIT}rabbit_qos_prefetch_count = 70000\n`, {}, 'goes from 0 to 65535'],
    [`${RABBIT}rabbit_transient_queues_ttl = -1\n`, {}, 'x.conf:2: rabbit_transient_queues_ttl'],
    [`${RABBIT}heartbeat_timeout_threshold = soon\n`, {}, 'not a whole number'],
  ])('refuses %j with %j', (text, urlOptions, message) => {
    expect(() => read(text, urlOptions)).toThrow(ConfigurationError);
    expect(() => read(text, urlOptions)).toThrow(message);
  });
});
