"""Real oslo.messaging servers and clients, told on stdin what to do; lines of JSON both ways."""

import json
import os
import sys
import threading

import oslo_messaging
from oslo_config import cfg

_out = os.fdopen(os.dup(1), 'w', encoding='utf-8')
os.dup2(2, 1)  # whatever else prints goes to the log
_out_lock = threading.Lock()


def _send(message):
    with _out_lock:
        _out.write(json.dumps(message, default=str) + '\n')
        _out.flush()


class _Endpoint:
    """What a server of this peer can do."""

    def echo(self, ctxt, **kwargs):
        return kwargs


class Peer:
    """Options from a configuration file as that of a guest, and a transport for each URL."""

    def __init__(self, config_file):
        self._conf = cfg.CONF
        self._conf(['--config-file', config_file], project='oslo-peer')
        self._transport = oslo_messaging.get_rpc_transport(self._conf)

    def start_server(self, topic, server, url):
        """Declares and consumes what an RPC server does; without a URL where the file says."""
        transport = self._transport
        if url is not None:
            transport = oslo_messaging.get_rpc_transport(self._conf, url=url)
        target = oslo_messaging.Target(topic=topic, server=server)
        oslo_messaging.get_rpc_server(
            transport, target, [_Endpoint()], executor='threading').start()

    def call(self, topic, method, args, timeout, call_monitor_timeout):
        """Calls a method and waits for its result."""
        target = oslo_messaging.Target(topic=topic, version='1.0')
        client = oslo_messaging.get_rpc_client(
            self._transport, target, timeout=timeout, call_monitor_timeout=call_monitor_timeout)
        return client.call({'user': 'oslo-peer'}, method, **args)


def _serve(peer, request, command, args):
    try:
        _send({'request': request, 'result': getattr(peer, command)(**args)})
    except Exception as error:
        remote = getattr(error, 'exc_type', None)
        _send({'request': request, 'error': {
            'className': remote or type(error).__name__, 'message': str(error), 'remote': None}})


def main():
    peer = Peer(sys.argv[1])
    _send({'event': 'ready'})
    for line in sys.stdin:
        threading.Thread(target=_serve, args=(peer,), kwargs=json.loads(line), daemon=True).start()


if __name__ == '__main__':
    main()
