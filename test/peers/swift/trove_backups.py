"""What Trove itself does with a backup in Swift, by its own code and the real swiftclient.

Reads one JSON object from standard input: swift_url, project, token, location, checksum and what to
do: `verify`, as the API does before a restore, or `delete`, as the taskmanager does. Prints a JSON
object with the result, or with the class and text of the exception.
"""

import json
import sys
from types import SimpleNamespace

from trove.common import cfg
from trove.common.context import TroveContext


def main():
    order = json.load(sys.stdin)
    cfg.CONF([], project='trove', default_config_files=[])
    # Trove's own form of the option ends in AUTH_.
    cfg.CONF.set_override('swift_url', order['swift_url'][:-len(order['project'])])
    context = TroveContext(auth_token=order['token'], project_id=order['project'])
    try:
        result = ACTIONS[order['what']](context, order)
    except Exception as error:
        result = {'error': type(error).__name__, 'message': str(error)}
    json.dump(result, sys.stdout)


def verify(context, order):
    from trove.backup.models import DBBackup  # here: the other one needs 2 s of imports
    backup = SimpleNamespace(id='1', location=order['location'], checksum=order['checksum'])
    there = DBBackup.check_swift_object_exist(backup, context, verify_checksum=True)
    return {'result': there}


def delete(context, order):
    from trove.taskmanager.models import BackupTasks
    container, name = order['location'].split('/')[-2:]
    BackupTasks.delete_files_from_swift(context, container, name)
    return {'result': True}


ACTIONS = {'verify': verify, 'delete': delete}

if __name__ == '__main__':
    main()
