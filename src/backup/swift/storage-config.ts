/**
 * What Trove's files in the VM say about Swift (docs/contracts/swift.md, 1.2 and 5), and
 * agent.yaml, because they have no option for a CA.
 */
export interface StorageConfig {
  /** `swift_url`: the project's id is appended to it. Null when it is not set. */
  swiftUrl: string | null;
  /** `backup_swift_container`. */
  container: string;
  /** `swift_service_type` and `swift_endpoint_type`, for catalogs. */
  serviceType: string;
  endpointType: string;
  /** `swift_api_insecure`: the certificate of Swift is not checked. */
  insecure: boolean;
  /** `backup.ca_file`: PEM text of the CAs of Swift and Keystone; undefined: those of Node.js. */
  ca: string | undefined;
  /** `auth_url` of [service_credentials]: Keystone. */
  authUrl: string | null;
  /** `region_name` of [service_credentials]; null takes the first endpoint of any region. */
  region: string | null;
  /** `backup_aes_cbc_key`, a secret: opens backups made before Victoria. */
  decryptionKey: string | null;
}
