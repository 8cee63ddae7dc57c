import { notSupported } from './exceptions.ts';
import {
  CAST,
  HIGH,
  LOW,
  NOTIFIED_CAST,
  SNAPSHOT,
  names,
  type Answer,
  type GuestMethod,
} from './guest-method.ts';

const users = refused('it has no database users');
const databases = refused('it has no databases inside a cluster');
const root = refused('it has no root user');
const replication = refused('a cluster keeps its own replicas, an instance has none');
const volumeBackups = refused('backups of this datastore are made in Swift, not of its volume');
const volumes = refused('this version of the guest agent leaves the volume as it is');
const upgrades = refused(
  'chmpx and k2hdkc come with the image of the VM, rebuild the instance with the image of the ' +
    'new version instead; nothing was changed',
);
const modules = refused('this version of the guest agent applies no modules');
const ssl = refused('K2HDKC traffic inside a cluster has no TLS that Trove could manage');
const updates = refused(
  'the guest agent comes with the image of the VM, rebuild the instance with a newer image instead',
);

/**
 * The methods of the guest API that have no handler: every one answers, because a call without an
 * answer blocks Trove for its whole timeout (docs/contracts/trove.md, 9.1).
 */
export const UNHANDLED_METHODS: Readonly<Record<string, GuestMethod>> = {
  change_passwords: { ...NOTIFIED_CAST, args: names('users'), answer: users },
  update_attributes: {
    ...NOTIFIED_CAST,
    args: names('username', 'hostname', 'user_attrs'),
    answer: users,
  },
  create_user: { ...NOTIFIED_CAST, args: names('users'), answer: users },
  delete_user: { ...NOTIFIED_CAST, args: names('user'), answer: users },
  get_user: { ...LOW, args: names('username', 'hostname'), answer: users },
  list_access: { ...LOW, args: names('username', 'hostname'), answer: users },
  grant_access: { ...LOW, args: names('username', 'hostname', 'databases'), answer: users },
  revoke_access: { ...LOW, args: names('username', 'hostname', 'database'), answer: users },
  list_users: { ...HIGH, args: names('limit?', 'marker?', 'include_marker?'), answer: users },

  create_database: { ...NOTIFIED_CAST, args: names('databases'), answer: databases },
  delete_database: { ...NOTIFIED_CAST, args: names('database'), answer: databases },
  list_databases: {
    ...LOW,
    args: names('limit?', 'marker?', 'include_marker?'),
    answer: databases,
  },

  get_root_password: { ...HIGH, args: names(), answer: root },
  enable_root: { ...HIGH, args: names(), answer: root },
  enable_root_with_password: { ...HIGH, args: names('root_password?'), answer: root },
  disable_root: { ...LOW, args: names(), answer: root },
  is_root_enabled: { ...LOW, args: names(), answer: root },

  backup_required_for_replication: { ...LOW, args: names(), answer: replication },
  get_replication_snapshot: {
    ...SNAPSHOT,
    args: names('snapshot_info', 'replica_source_config?'),
    answer: replication,
  },
  attach_replication_slave: {
    ...CAST,
    args: names('snapshot', 'slave_config?'),
    answer: replication,
  },
  attach_replica: {
    ...HIGH,
    args: names('replica_info', 'slave_config', 'restart?'),
    answer: replication,
  },
  detach_replica: { ...HIGH, args: names('for_failover?'), answer: replication },
  get_replica_context: { ...HIGH, args: names(), answer: replication },
  make_read_only: { ...HIGH, args: names('read_only'), answer: replication },
  enable_as_master: { ...HIGH, args: names('replica_source_config'), answer: replication },
  demote_replication_master: { ...HIGH, args: names(), answer: replication },
  cleanup_source_on_replica_detach: { ...HIGH, args: names('replica_info'), answer: replication },
  get_txn_count: { ...HIGH, args: names(), answer: replication },
  get_last_txn: { ...HIGH, args: names(), answer: replication },
  get_latest_txn_id: { ...HIGH, args: names(), answer: replication },
  wait_for_txn: { ...HIGH, args: names('txn'), answer: replication },

  // Refused, so that Trove does not take a snapshot of a volume that is being written to.
  pre_create_backup: { ...HIGH, version: '1.2', args: names(), answer: volumeBackups },
  // Nothing was frozen, so there is nothing to thaw.
  post_create_backup: { ...HIGH, version: '1.2', args: names(), answer: always({}) },

  mount_volume: { ...LOW, args: names('device_path?', 'mount_point?'), answer: volumes },
  unmount_volume: { ...LOW, args: names('device_path?', 'mount_point?'), answer: volumes },
  resize_fs: {
    ...HIGH,
    version: '1.1',
    args: names('device_path?', 'mount_point?', 'online?'),
    answer: volumes,
  },

  // Refused at the first step. Trove takes an upgrade for done as soon as a heartbeat says healthy,
  // which a node that went on with its old programs would say too. docs/trove-calls.md has more.
  // The taskmanager only logs the exception, and ends in ERROR: users read the fault.
  pre_upgrade: { ...HIGH, args: names(), answer: { ...upgrades, isFault: true } },
  upgrade: { ...CAST, args: names('upgrade_info'), answer: upgrades },
  post_upgrade: { ...HIGH, args: names('upgrade_info'), answer: upgrades },
  update_guest: { ...HIGH, args: names(), answer: updates },

  // Trove's way back from a failed resize calls it before restart. K2HDKC has no file made from the
  // flavor, so nothing needs to be put back, and an error here would keep the database down.
  reset_configuration: { ...HIGH, args: names('configuration'), answer: always(null) },

  // None can be applied, so none is.
  module_list: { ...HIGH, args: names('include_contents?'), answer: always([]) },
  module_apply: { ...HIGH, args: names('modules?'), answer: modules },
  module_remove: { ...HIGH, args: names('module?'), answer: modules },

  ssl_show: { ...HIGH, version: '1.3', args: names(), answer: ssl },
  ssl_action: {
    ...HIGH,
    version: '1.3',
    args: names('mode?', 'container?', 'enable?', 'disable?'),
    answer: ssl,
  },
  ssl_rollback: { ...HIGH, version: '1.3', args: names(), answer: ssl },
};

function refused(why: string): Answer & { by: 'failure' } {
  return { by: 'failure', failure: (method) => notSupported(method, why) };
}

function always(result: unknown): Answer {
  return { by: 'result', result };
}
