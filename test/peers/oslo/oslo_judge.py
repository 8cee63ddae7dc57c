"""What the real oslo.config and oslo.messaging make of files and URLs: JSON on stdin and stdout."""

import json
import os
import sys
import tempfile

from kombu.utils.url import url_to_parts
from oslo_config import cfg
from oslo_messaging import transport
from oslo_messaging._drivers import impl_rabbit

GROUP = 'oslo_messaging_rabbit'


def read_file(case):
    """The values of the named options in one file, by group and option."""
    conf = cfg.ConfigOpts()
    conf.register_opts([
        cfg.StrOpt('transport_url', default='rabbit://'),
        cfg.StrOpt('control_exchange', default='openstack'),
        cfg.StrOpt('plain'),
        cfg.StrOpt('other'),
    ])
    conf.register_opts(impl_rabbit.rabbit_opts, group=cfg.OptGroup(GROUP))
    with tempfile.NamedTemporaryFile(suffix='.conf') as file:
        file.write(case['bytes'].encode('latin-1'))
        file.flush()
        conf(['--config-file', file.name], project='judge', default_config_dirs=[])
        return [conf[option] if group == 'DEFAULT' else conf[group][option]
                for group, option in case['options']]


def read_url(case):
    """Where the driver connects: what kombu makes of the URL that the driver makes for it."""
    url = transport.TransportURL.parse(cfg.ConfigOpts(), case['url'])
    form = impl_rabbit.Connection._transform_transport_url
    driver = impl_rabbit.Connection.__new__(impl_rabbit.Connection)
    hosts = url.hosts
    defaults = {}
    if not hosts:
        hosts = [transport.TransportHost('')]
        defaults = {'default_hostname': 'localhost'}
    brokers = []
    for host in hosts:
        text = form(driver, url, host, **defaults)
        if ';' in text:
            raise ValueError('kombu takes it for several')
        parts = url_to_parts(text)
        if not parts.hostname:
            raise ValueError('no host')
        if not 0 < (parts.port or 0) < 65536:
            raise ValueError('no port')
        brokers.append([parts.hostname.lower(), parts.port, parts.username or 'guest',
                        parts.password or 'guest', parts.path or '/'])
    return [brokers, url.query]


def judge(case):
    try:
        return {'value': (read_url if 'url' in case else read_file)(case)}
    except Exception as error:
        return {'refused': f'{type(error).__name__}: {error}'}


cases = json.load(sys.stdin)
sys.stderr = open(os.devnull, 'w')
out = [judge(case) for case in cases]
json.dump(out, sys.stdout)
