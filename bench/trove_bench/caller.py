"""The caller of a guest: oslo's own client, as Trove's taskmanager uses it, timed from inside.

{"request": 1, "command": "ping", "args": {...}} is answered by the seconds that each call took and
those that all took together.
"""

import time

import eventlet
import oslo_messaging

from trove_peer import settings
from trove_peer.channel import Channel


def main():
    """Serves requests until stdin is closed."""
    channel = Channel()
    settings.start()
    channel.send({'event': 'ready'})
    for request in channel.receive():
        channel.send({'request': request['request'], 'result': ping(**request['args'])})


def ping(id, key, calls, callers):
    """Sends so many rpc_ping with so many callers side by side."""
    from trove import rpc
    from trove.common import context
    target = oslo_messaging.Target(topic='guestagent.%s' % id, version='1.0')
    client = rpc.get_client(target, key=key).prepare(timeout=60)
    who = context.TroveContext(user_id='bench', project_id='bench', is_admin=False)
    each = []

    def call_all():
        for _ in range(calls // callers):
            start = time.perf_counter()
            answer = client.call(who, 'rpc_ping')
            each.append(time.perf_counter() - start)
            if answer is not True:
                raise RuntimeError('the answer to rpc_ping is %r' % answer)

    start = time.perf_counter()
    for caller in [eventlet.spawn(call_all) for _ in range(callers)]:
        caller.wait()
    return {'each': each, 'together': time.perf_counter() - start}


if __name__ == '__main__':
    main()
