import { describe, expect, it } from 'vitest';
import { OsloConfig } from '../../src/oslo/oslo-config.ts';
import { readRabbitOptions } from '../../src/oslo/rabbit-options.ts';
import { rpcServerTopology, type RpcServerTopology } from '../../src/oslo/rpc-topology.ts';

const NAME = { topic: 'guestagent.g', server: 'g', fanoutId: '0f' };

function topologyWith(options: Record<string, string>): RpcServerTopology {
  return rpcServerTopology(NAME, readRabbitOptions(new OsloConfig([]), options));
}

/** Lines like those of `rabbitmqctl list_queues name durable auto_delete arguments`. */
function lines({ topology }: RpcServerTopology): string[] {
  return [
    ...topology.exchanges.map((e) => `${e.name} ${e.type} ${e.durable} ${e.autoDelete}`),
    ...topology.queues.map(
      (q) => `${q.name} ${q.durable} ${q.autoDelete} ${JSON.stringify(q.arguments)}`,
    ),
  ];
}

describe('rpcServerTopology', () => {
  it('is what the RPC server of oslo.messaging declares and consumes', () => {
    const server = topologyWith({});
    expect(lines(server)).toEqual([
      'openstack topic false false',
      'guestagent.g_fanout fanout false true',
      'guestagent.g false false {}',
      'guestagent.g.g false false {}',
      'guestagent.g_fanout_0f false false {"x-expires":1800000}',
    ]);
    expect(server.topology.bindings).toEqual([
      { queue: 'guestagent.g', exchange: 'openstack', routingKey: 'guestagent.g' },
      { queue: 'guestagent.g.g', exchange: 'openstack', routingKey: 'guestagent.g.g' },
      {
        queue: 'guestagent.g_fanout_0f',
        exchange: 'guestagent.g_fanout',
        routingKey: 'guestagent.g',
      },
    ]);
    expect(server.consumers).toEqual([
      { queue: 'guestagent.g', consumerTag: '1', arguments: {} },
      { queue: 'guestagent.g.g', consumerTag: '2', arguments: {} },
      { queue: 'guestagent.g_fanout_0f', consumerTag: '3', arguments: {} },
    ]);
  });

  it('has every consumer ask for a cancel at a failover with enable_cancel_on_failover', () => {
    const { consumers } = topologyWith({ enable_cancel_on_failover: 'true' });
    for (const consumer of consumers) {
      expect(consumer.arguments).toEqual({ 'x-cancel-on-ha-failover': true });
    }
  });

  it('leaves only its own fanout queue to be deleted at a stop', () => {
    const { queues } = topologyWith({}).topology;
    expect(queues.filter((queue) => queue.deleteOnStop).map((queue) => queue.name)).toEqual([
      'guestagent.g_fanout_0f',
    ]);
    expect(queues.some((queue) => queue.exclusive)).toBe(false);
  });

  // What the real servers declared: variants_14.0.3.txt and variants_master.txt of the captures.
  it.each([
    [
      { amqp_durable_queues: 'true' },
      [
        'openstack topic true false',
        'guestagent.g_fanout fanout false true',
        'guestagent.g true false {}',
        'guestagent.g.g true false {}',
        'guestagent.g_fanout_0f false false {"x-expires":1800000}',
      ],
    ],
    [
      { amqp_auto_delete: 'true' },
      [
        'openstack topic false true',
        'guestagent.g_fanout fanout false true',
        'guestagent.g false true {}',
        'guestagent.g.g false true {}',
        'guestagent.g_fanout_0f false false {"x-expires":1800000}',
      ],
    ],
    [
      { rabbit_quorum_queue: 'true', rabbit_quorum_delivery_limit: '3' },
      [
        'openstack topic true false',
        'guestagent.g_fanout fanout false true',
        'guestagent.g true false {"x-queue-type":"quorum","x-delivery-limit":3}',
        'guestagent.g.g true false {"x-queue-type":"quorum","x-delivery-limit":3}',
        'guestagent.g_fanout_0f false false {"x-expires":1800000}',
      ],
    ],
    [
      { rabbit_quorum_queue: 'true', rabbit_transient_quorum_queue: 'true' },
      [
        'openstack topic true false',
        'guestagent.g_fanout fanout true true',
        'guestagent.g true false {"x-queue-type":"quorum"}',
        'guestagent.g.g true false {"x-queue-type":"quorum"}',
        'guestagent.g_fanout_0f true false {"x-queue-type":"quorum","x-expires":1800000}',
      ],
    ],
    [
      { rabbit_ha_queues: 'true', rabbit_transient_queues_ttl: '0' },
      [
        'openstack topic false false',
        'guestagent.g_fanout fanout false true',
        'guestagent.g false false {"x-ha-policy":"all"}',
        'guestagent.g.g false false {"x-ha-policy":"all"}',
        'guestagent.g_fanout_0f false false {"x-ha-policy":"all"}',
      ],
    ],
    [
      { rabbit_transient_queues_ttl: '60' },
      [
        'openstack topic false false',
        'guestagent.g_fanout fanout false true',
        'guestagent.g false false {}',
        'guestagent.g.g false false {}',
        'guestagent.g_fanout_0f false false {"x-expires":60000}',
      ],
    ],
  ])('follows %j', (options, expected) => {
    expect(lines(topologyWith(options))).toEqual(expected);
  });
});
