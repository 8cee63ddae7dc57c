import type { StorageConfig } from '../backup/swift/storage-config.ts';
import type { OsloConfig } from '../oslo/oslo-config.ts';
import { optionalText } from './optional-text.ts';

const CREDENTIALS = 'service_credentials';

/**
 * Reads what Trove's files say about Swift, with Trove's own defaults. The key for old backups
 * belongs into [DEFAULT]; the set-up of K2HDKC DBaaS writes it to [service_credentials]
 * (docs/contracts/swift.md, 5).
 */
export function readStorageOptions(config: OsloConfig): Omit<StorageConfig, 'ca'> {
  const text = (option: string, group = 'DEFAULT'): string | null =>
    optionalText(config, group, option);
  return {
    swiftUrl: text('swift_url'),
    container: text('backup_swift_container') ?? 'database_backups',
    serviceType: text('swift_service_type') ?? 'object-store',
    endpointType: text('swift_endpoint_type') ?? 'publicURL',
    insecure: config.boolean('DEFAULT', 'swift_api_insecure', false),
    authUrl: text('auth_url', CREDENTIALS),
    region: text('region_name', CREDENTIALS),
    decryptionKey: text('backup_aes_cbc_key') ?? text('backup_aes_cbc_key', CREDENTIALS),
  };
}
