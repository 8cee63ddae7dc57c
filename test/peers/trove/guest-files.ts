/** The instance that a guest is told to be. */
export interface GuestIdentity {
  id: string;
  /** 32 characters, or null when Trove does not encrypt its messages. */
  key: string | null;
  /** Default k2hdkc. */
  datastoreManager?: string;
  /** Default 1.0.14. */
  datastoreVersion?: string;
  tenantId?: string;
}

/** What the operator's guest configuration says. */
export interface GuestSettings {
  transportUrl: string;
  controlExchange: string;
  /** Default /var/lib/antpickax/k2hdkc, as AntPickax configures it. */
  mountPoint?: string;
}

/** guest_info.conf as Trove 18 injects it into a VM (docs/contracts/trove.md, 8.1). */
export function guestInfoConf(identity: GuestIdentity): string {
  const lines = [
    '[DEFAULT]',
    `guest_id=${identity.id}`,
    `datastore_manager=${identity.datastoreManager ?? 'k2hdkc'}`,
    `datastore_version=${identity.datastoreVersion ?? '1.0.14'}`,
    `tenant_id=${identity.tenantId ?? DEFAULT_TENANT}`,
    ...(identity.key === null ? [] : [`instance_rpc_encr_key=${identity.key}`]),
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * trove-guestagent.conf, which Trove copies from its controller as it is: the options that the
 * k2hdkc plugin of devstack sets (docs/contracts/trove.md, 8.1).
 */
export function troveGuestagentConf(settings: GuestSettings): string {
  return `[DEFAULT]
transport_url = ${settings.transportUrl}
control_exchange = ${settings.controlExchange}
ignore_users = os_admin
log_dir = /var/log/trove/
log_file = trove-guestagent.log
swift_api_insecure = True
network_isolation = False
docker_container_sysctls = fs.mqueue.msg_max:136
backup_swift_container = k2hdkc_backups

[service_credentials]
auth_url = http://127.0.0.1:5000/v3
username = trove
user_domain_name = Default
project_domain_name = Default
project_name = service
region_name = RegionOne
password = service-password

[k2hdkc]
docker_image = docker.io/antpickax/k2hdkc-trove
backup_docker_image = docker.io/antpickax/k2hdkc-trove-backup
mount_point = ${settings.mountPoint ?? '/var/lib/antpickax/k2hdkc'}
device_path = /dev/vdb
`;
}

/** The project of instances that name none. */
export const DEFAULT_TENANT = '11112222333344445555666677778888';
