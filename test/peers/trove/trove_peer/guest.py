"""Calls to a guest: through Trove's guest API, and raw for what that API never sends."""

import json

import oslo_messaging
from oslo_messaging._drivers import common as driver_common
from oslo_serialization import jsonutils
from trove import rpc
from trove.common import context as trove_context
from trove.common import notification
from trove.guestagent import api as guest_api
from trove_peer import database
from trove_peer import settings

# What Trove's taskmanager attaches to the context of a call, where a guest answers it.
_NOTIFICATIONS = {
    'prepare': notification.DBaaSInstanceCreate,
    'create_backup': notification.DBaaSBackupCreate,
    'pre_upgrade': notification.DBaaSInstanceUpgrade,
}


def api(id, method, kwargs, timeout, with_notification, upgrade_level, auth_token, is_admin):
    """Calls a method of the real trove.guestagent.api.API."""
    context = _context(id, auth_token, is_admin)
    if with_notification and method in _NOTIFICATIONS:
        context.notification = _NOTIFICATIONS[method](
            context, request_id=context.request_id, server_type='taskmanager',
            client_ip='127.0.0.1', server_ip='127.0.0.1', tenant_id=context.project_id)
    settings.CONF.clear_override('guestagent', group='upgrade_levels')
    if upgrade_level is not None:
        settings.CONF.set_override('guestagent', upgrade_level, group='upgrade_levels')
    client = guest_api.API(context, id)
    if timeout is not None:
        client.agent_low_timeout = timeout
        client.agent_high_timeout = timeout
        client.agent_snapshot_timeout = timeout
    return jsonutils.to_primitive(getattr(client, method)(**kwargs))


def raw(id, method, kwargs, version, timeout, cast):
    """Calls or casts any method in any version, with the serializer that Trove would use."""
    target = oslo_messaging.Target(topic='guestagent.%s' % id, version=version)
    client = rpc.get_client(target, key=database.instance_key(id)).prepare(timeout=timeout)
    return (client.cast if cast else client.call)(_context(id), method, **kwargs)


def describe_error(error):
    """Class and text of an error, and the failure that the guest sent if it has its cause there."""
    description = {'className': type(error).__name__, 'message': str(error), 'remote': None}
    while error is not None:
        if hasattr(error, 'remote_failure'):
            description['remote'] = error.remote_failure
        error = error.__cause__ or error.__context__
    return description


def remember_remote_failures():
    """Keeps a failure as the guest sent it: oslo drops the module of classes it does not allow."""
    deserialize = driver_common.deserialize_remote_exception

    def deserialize_and_remember(data, allowed_remote_exmods):
        error = deserialize(data, allowed_remote_exmods)
        error.remote_failure = json.loads(data)
        return error

    driver_common.deserialize_remote_exception = deserialize_and_remember


def _context(id, auth_token=None, is_admin=False):
    return trove_context.TroveContext(
        user_id='trove-peer-user', project_id=database.tenant_of(id),
        auth_token=auth_token or 'trove-peer-user-token', roles=['member'], is_admin=is_admin)
