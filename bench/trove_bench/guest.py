"""The Python guest that the agent is compared with: started as trove.cmd.guest does, without its
side effects on the host, and with the least that Trove's own base manager demands.
"""

import sys

from trove.cmd import guest  # noqa: F401  registers its options; patches Python with eventlet
from oslo_log import log as logging
from oslo_service import service
from trove.common import cfg
from trove.guestagent import api
from trove.guestagent.datastore import manager

CONF = cfg.CONF


class Status:
    """The status of a database that is not there."""

    def update(self):
        """Nothing to tell."""


class Manager(manager.Manager):
    """rpc_ping, and whatever else the base class has."""

    docker_client = None  # Trove's profiler reads every property, and there is no Docker

    def __init__(self):
        super().__init__('bench')
        self.status = Status()


def main():
    """Serves until it is killed."""
    cfg.parse_args(sys.argv)
    logging.setup(CONF, None)
    from trove import rpc
    from trove.common.rpc import service as rpc_service
    rpc.init(CONF)
    server = rpc_service.RpcService(
        key=CONF.instance_rpc_encr_key, topic='guestagent.%s' % CONF.guest_id,
        manager='trove_bench.guest.Manager', host=CONF.guest_id,
        rpc_api_version=api.API.API_LATEST_VERSION)
    service.launch(CONF, server, restart_method='mutate').wait()


if __name__ == '__main__':
    main()
