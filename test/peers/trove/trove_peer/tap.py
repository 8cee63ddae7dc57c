"""Listens in on what is published for the conductor, in the order of publishing."""

import json
import time
import uuid

import eventlet
import kombu
from oslo_log import log as logging
from trove import rpc
from trove.common.rpc import conductor_host_serializer
from trove.common.rpc import serializer
from trove_peer.settings import CONF

LOG = logging.getLogger(__name__)


class Tap:
    """A queue of our own, bound like the conductor's; it outlives a lost connection."""

    def __init__(self):
        exchange = kombu.Exchange(
            CONF.control_exchange, type='topic', durable=False, auto_delete=False)
        self._queue = kombu.Queue(
            'tap-%s' % uuid.uuid4().hex, exchange, routing_key=CONF.conductor_queue,
            durable=False, auto_delete=False)
        self._serializer = conductor_host_serializer.ConductorHostSerializer(
            serializer.TroveRequestContextSerializer(None))
        self._messages = []

    def start(self):
        """Returns when nothing published from now on is missed."""
        connection = self._connect()
        eventlet.spawn(self._run, connection)

    def messages(self):
        """Everything seen so far, oldest first."""
        return self._messages

    def _connect(self):
        host = rpc.get_transport_url().hosts[0]
        connection = kombu.Connection(
            hostname=host.hostname, port=host.port, userid=host.username,
            password=host.password, virtual_host=rpc.get_transport_url().virtual_host)
        consumer = connection.Consumer(self._queue, on_message=self._take)
        consumer.consume()
        return connection

    def _run(self, connection):
        while True:
            try:
                while True:
                    connection.drain_events()
            except connection.connection_errors + (OSError,) as error:
                LOG.warning('The tap lost its connection: %s', error)
                connection = self._reconnect()

    def _reconnect(self):
        while True:
            try:
                return self._connect()
            except Exception as error:
                LOG.warning('The tap cannot connect: %s', error)
                eventlet.sleep(0.2)

    def _take(self, message):
        message.ack()
        try:
            self._messages.append(self._decode(message.body))
        except Exception as error:
            LOG.exception('The tap cannot decode a message')
            self._messages.append({'at': time.time(), 'undecodable': repr(error)})

    def _decode(self, body):
        request = json.loads(json.loads(body)['oslo.message'])
        context = {key[len('_context_'):]: value for key, value in request.items()
                   if key.startswith('_context_')}
        keyed = 'csz-instance-id' in context
        args = {name: self._serializer.deserialize_entity(None, value)
                for name, value in request.get('args', {}).items()}
        return {
            'at': time.time(),
            'method': request['method'],
            'args': args,
            'encrypted': keyed,
            'instanceId': _instance_of(args),
            'context': self._serializer.deserialize_context(context).to_dict(),
        }


def _instance_of(args):
    return args.get('instance_id') or args.get('serialized_notification', {}).get('instance_id')
