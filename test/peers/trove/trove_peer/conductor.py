"""Trove's conductor: its real Manager, serializer and fault callback, on the real database.

Waits for one line (the database is there) before it opens the database; afterwards it sends
{"event": "ready"} and a line for every notification that the Manager accepted.
"""

import time

from trove_peer import settings
from trove_peer.channel import Channel


def main():
    """Runs until stdin is closed."""
    channel = Channel()
    settings.start()
    from trove.common import notification
    from trove.common.rpc import conductor_host_serializer, service
    from trove.conductor import api
    from trove.instance import models

    def notified(accepted, qualifier):
        models.persist_instance_fault(accepted, qualifier)
        channel.send({
            'event': 'notification',
            'at': time.time(),
            'type': accepted.event_type(),
            'qualifier': qualifier,
            'payload': accepted.payload,
        })

    notification.DBaaSAPINotification.register_notify_callback(notified)
    lines = channel.receive()
    next(lines)
    settings.connect_database()
    server = service.RpcService(
        key=None, binary='trove-conductor', manager=settings.CONF.conductor_manager,
        topic=settings.CONF.conductor_queue, rpc_api_version=api.API.API_LATEST_VERSION,
        secure_serializer=conductor_host_serializer.ConductorHostSerializer)
    server.start()
    channel.send({'event': 'ready'})
    for _ in lines:
        pass


if __name__ == '__main__':
    main()
