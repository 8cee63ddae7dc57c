"""The callers of a guest, and Trove's database, behind requests in JSON.

{"request": 1, "command": "...", "args": {...}} is answered by {"request": 1, "result": ...} or
{"request": 1, "error": {"className", "message", "remote"}}; any number can be under way. Before, it
sends {"event": "database"} when the database exists and {"event": "ready"}.
"""

import eventlet

from trove_peer import settings
from trove_peer.channel import Channel


def main():
    """Serves requests until stdin is closed."""
    channel = Channel()
    settings.start()
    settings.connect_database(create=True)
    channel.send({'event': 'database'})
    from trove_peer import guest
    guest.remember_remote_failures()
    commands = _commands()
    channel.send({'event': 'ready'})
    for request in channel.receive():
        eventlet.spawn_n(_serve, channel, commands, guest.describe_error, request)


def _commands():
    from trove_peer import database
    from trove_peer import guest
    from trove_peer import tap
    listener = tap.Tap()
    return {
        'add_instance': database.add_instance,
        'add_backup': database.add_backup,
        'backup': database.backup,
        'service_status': database.service_status_of,
        'instance_faults': database.instance_faults,
        'write_fault': database.write_fault,
        'api': guest.api,
        'rpc': guest.raw,
        'start_tap': listener.start,
        'published': listener.messages,
    }


def _serve(channel, commands, describe_error, request):
    try:
        answer = {'result': commands[request['command']](**request['args'])}
    except Exception as error:
        answer = {'error': describe_error(error)}
    channel.send({'request': request['request'], **answer})


if __name__ == '__main__':
    main()
