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
      haQueues: false,
      transientQueuesTtlSeconds: 1800,
      prefetchCount: 0,
      heartbeatSeconds: 60,
    });
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
    [`${RABBIT}ssl = true\n`, {}, 'x.conf:2: ssl is on, and TLS to the broker is not supported'],
    [`${RABBIT}rabbit_use_ssl = 1\n`, {}, 'x.conf:2: rabbit_use_ssl is on'],
    ['', { ssl: '1' }, 'the query of transport_url: ssl is on'],
    [`${RABBIT}rabbit_stream_fanout = true\n`, {}, 'stream queues are not supported'],
    [`${RABBIT}rabbit_ha_queues = on\nrabbit_quorum_queue = on\n`, {}, 'rabbit_ha_queues is on'],
    [`${RABBIT}rabbit_qos_prefetch_count = 70000\n`, {}, 'goes from 0 to 65535'],
    [`${RABBIT}rabbit_transient_queues_ttl = -1\n`, {}, 'x.conf:2: rabbit_transient_queues_ttl'],
    [`${RABBIT}heartbeat_timeout_threshold = soon\n`, {}, 'not a whole number'],
  ])('refuses %j with %j', (text, urlOptions, message) => {
    expect(() => read(text, urlOptions)).toThrow(ConfigurationError);
    expect(() => read(text, urlOptions)).toThrow(message);
  });
});
