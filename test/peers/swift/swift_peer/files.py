"""Configuration and rings of the cluster, all in its directory."""

import getpass
import os

from swift.common.ring import RingBuilder

DAEMONS = ('account-server', 'container-server', 'object-server', 'proxy-server')
DEVICE = 'd1'

# The daemons give each other more time than a busy machine needs: with the half seconds of real
# clusters a PUT fails, or is missing in the container's list for good, as no updater runs here.
COMMON = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = {user}
swift_dir = {directory}
devices = {directory}/devices
mount_check = false
workers = 0
log_address = {log_socket}
log_level = WARNING
fallocate_reserve = 0
conn_timeout = 30
node_timeout = 60
container_update_timeout = 60
"""

STORAGE = """
[pipeline:main]
pipeline = {filters} {daemon}
[app:{daemon}]
use = egg:swift#{kind}
[filter:full_disk]
paste.filter_factory = swift_peer.full_disk:filter_factory
file = {directory}/full
"""

# Debian's pipeline as far as objects are concerned, with tempauth.
FILTERS = ('catch_errors', 'gatekeeper', 'healthcheck', 'memory_cache', 'listing_formats',
           'tempauth', 'copy', 'slo', 'dlo', 'versioned_writes', 'symlink')

# A node that has failed once would be left out for a minute, and there is no other to turn to.
PROXY = """
[pipeline:main]
pipeline = {filters} {daemon}
[app:{daemon}]
use = egg:swift#proxy
account_autocreate = true
error_suppression_interval = 0
[filter:memory_cache]
paste.filter_factory = swift_peer.memory_cache:filter_factory
""" + ''.join('[filter:%s]\nuse = egg:swift#%s\n' % (name, name)
              for name in FILTERS if name not in ('memory_cache', 'tempauth', 'slo'))

SLO = """
[filter:slo]
use = egg:swift#slo
max_manifest_segments = {segments}
min_segment_size = {leastBytes}
"""


def write(directory, plan):
    """Writes everything that the daemons read; `plan` is described in launch.ts."""
    os.makedirs(os.path.join(directory, 'devices', DEVICE))
    with open(os.path.join(directory, 'swift.conf'), 'w') as file:
        file.write('[swift-hash]\nswift_hash_path_suffix = test\n')
        file.write('[swift-constraints]\nmax_file_size = %d\n' % plan['maxFileSize'])
        file.write('container_listing_limit = %d\n' % plan['listingLimit'])
    users = ['user_%s_trove = %s .admin' % item for item in plan['projects'].items()]
    for daemon in DAEMONS:
        kind = daemon.split('-')[0]
        port = plan['ports'][kind]
        proxy = [name for name in FILTERS if name != 'slo' or plan['slo']]
        filters = {'proxy': proxy, 'object': ('full_disk',)}.get(kind, ())
        text = (COMMON + (PROXY if kind == 'proxy' else STORAGE)).format(
            directory=directory, port=port, user=getpass.getuser(), kind=kind, daemon=daemon,
            log_socket=log_socket(directory), filters=' '.join(filters))
        if kind == 'proxy':
            text += SLO.format(**plan['slo']) if plan['slo'] else ''
            text += '[filter:tempauth]\nuse = egg:swift#tempauth\n' + '\n'.join(users) + '\n'
        with open(configuration(directory, daemon), 'w') as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
        if kind != 'proxy':
            write_ring(directory, kind, port)


def write_ring(directory, kind, port):
    builder = RingBuilder(4, 1, 0)
    builder.add_dev({'region': 1, 'zone': 1, 'weight': 1, 'device': DEVICE,
                     'ip': '127.0.0.1', 'port': port,
                     'replication_ip': '127.0.0.1', 'replication_port': port})
    builder.rebalance(seed=1)
    builder.get_ring().save(os.path.join(directory, '%s.ring.gz' % kind))


def configuration(directory, daemon):
    return os.path.join(directory, '%s.conf' % daemon)


def log_socket(directory):
    return os.path.join(directory, 'log.socket')
