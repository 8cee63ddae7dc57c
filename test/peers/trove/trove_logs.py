"""The log commands of the real python-troveclient, by its own shell and the real swiftclient.

Reads one JSON object from standard input: api (the URL of Trove's API for the project), swift_url and
token, command (as `log-tail`), and its arguments by name. Prints what the command prints.
"""

import json
import sys
from argparse import Namespace

from swiftclient import client as swift_client
from troveclient.v1 import client
from troveclient.v1 import shell


def main():
    order = json.load(sys.stdin)
    trove = client.Client('user', 'password', project_id='project', auth_url='http://127.0.0.1/')
    # Without a Keystone both are told what they would find there.
    trove.client.management_url = order['api']
    trove.client.auth_token = order['token']
    trove.instances._get_swift_client = lambda: swift_client.Connection(
        preauthurl=order['swift_url'], preauthtoken=order['token'])
    command = getattr(shell, 'do_' + order['command'].replace('-', '_'))
    command(trove, Namespace(**order['arguments']))


if __name__ == '__main__':
    main()
