import type { StorageConfig } from '../../src/backup/swift/storage-config.ts';

/** What Trove's files say about Swift when they say nothing. */
export const PLAIN_STORAGE: StorageConfig = {
  swiftUrl: null,
  container: 'database_backups',
  serviceType: 'object-store',
  endpointType: 'publicURL',
  insecure: false,
  ca: undefined,
  authUrl: null,
  region: null,
  decryptionKey: null,
};
