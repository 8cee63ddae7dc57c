"""Rows of Trove's database, through Trove's own models."""

from trove.backup import models as backups
from trove.common import crypto_utils
from trove.common import exception
from trove.instance import models
from trove.instance import service_status
from trove.instance import tasks
from trove_peer.settings import CONF


def add_instance(id, name, key, tenant_id, cluster_id):
    """An instance that waits for its guest; key is its RPC key, or None for plain text."""
    encrypted = None
    if key is not None:
        encrypted = crypto_utils.encode_data(
            crypto_utils.encrypt_data(key, CONF.inst_rpc_key_encr_key))
    instance = models.DBInstance.create(
        id=id, name=name, tenant_id=tenant_id, cluster_id=cluster_id,
        task_status=tasks.InstanceTasks.NONE)
    instance.update(encrypted_key=encrypted)  # create() always makes a key of its own
    models.InstanceServiceStatus.create(
        instance_id=id, status=service_status.ServiceStatuses.NEW)


def service_status_of(id):
    """What Trove believes about the service of an instance."""
    row = models.InstanceServiceStatus.find_by(instance_id=id)
    return {'status': row.status_description, 'updatedAt': _iso(row.updated_at)}


def instance_faults(id):
    """What a user would see as the fault of an instance."""
    try:
        rows = models.DBInstanceFault.find_all(instance_id=id, deleted=False).all()
    except exception.NotFound:
        return []
    return [{'message': row.message, 'details': row.details, 'updatedAt': _iso(row.updated)}
            for row in rows]


def write_fault(id, message):
    """Writes a fault as the taskmanager does after a create that failed, at its usual poll."""
    models.save_instance_fault(id, message, '', skip_delta=CONF.usage_sleep_time + 1)


def add_backup(id, instance_id):
    """The row of a backup that Trove's API has just accepted."""
    backups.DBBackup.create(
        id=id, name='a backup', instance_id=instance_id, tenant_id=tenant_of(instance_id),
        state=backups.BackupState.NEW, backup_type='full', deleted=False)


def backup(id):
    """What Trove believes about a backup."""
    row = backups.DBBackup.find_by(id=id)
    return {'state': row.state, 'size': row.size, 'checksum': row.checksum,
            'location': row.location, 'backupType': row.backup_type}


def instance_key(id):
    """The RPC key of an instance, decrypted; None when it has none."""
    return models.get_instance_encryption_key(id)


def tenant_of(id):
    """The project that owns an instance."""
    return models.DBInstance.find_by(id=id).tenant_id


def _iso(moment):
    return moment and moment.isoformat() + 'Z'
