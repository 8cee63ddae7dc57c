import * as v from 'valibot';
import { AgentError } from '../base/errors.ts';
import { parseLocation, type ObjectLocation } from './swift/location.ts';

/** What create_backup is asked for. */
export interface BackupRequest {
  /** Of the backup; the object is named after it. */
  id: string;
  /** As Trove wrote them; metadata of the object. Null when Trove left them out. */
  datastore: string | null;
  datastoreVersion: string | null;
  /** Null: the one of the configuration. */
  container: string | null;
  /** The account's URL, from Trove 2026.2 on. */
  swiftUrl: string | null;
  /** A backup that this one is to build on: incremental. */
  hasParent: boolean;
}

/** What prepare is asked to restore. */
export interface RestoreRequest {
  /** Of the backup. */
  id: string;
  location: ObjectLocation;
  /** Hex MD5 in lower case, without the quotes that Swift puts around that of an SLO. */
  checksum: string;
  /** The object ends with `.enc`: made and encrypted by a Trove before Victoria. */
  encrypted: boolean;
  swiftUrl: string | null;
}

const text = v.pipe(v.string(), v.nonEmpty());
const optionalText = v.pipe(
  v.nullish(v.string(), null),
  v.transform((value) => (value === null || value === '' ? null : value)),
);
/** It becomes the name of an object and of its segments, which end at the first dot. */
const backupId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/));

const common = {
  id: backupId,
  storage_driver: optionalText,
  swift_url: optionalText,
};
const createSchema = v.object({
  ...common,
  datastore: optionalText,
  datastore_version: optionalText,
  swift_container: optionalText,
  parent: v.nullish(v.unknown(), null),
});
const restoreSchema = v.object({ ...common, location: text, checksum: text });

/**
 * Reads the `backup_info` of create_backup, as all releases of Trove write it
 * (docs/contracts/swift.md, 1.1). Throws AgentError.
 */
export function parseBackupRequest(info: unknown): BackupRequest {
  const read = check('create_backup', createSchema, info);
  return {
    id: read.id,
    datastore: read.datastore,
    datastoreVersion: read.datastore_version,
    container: read.swift_container,
    swiftUrl: read.swift_url,
    hasParent: read.parent !== null,
  };
}

/**
 * Reads the `backup_info` of prepare (docs/contracts/swift.md, 6). Throws AgentError.
 * A checksum that `restore_from` brought from another region can have quotes
 * (docs/contracts/swift.md, 3.5).
 */
export function parseRestoreRequest(info: unknown): RestoreRequest {
  const read = check('prepare', restoreSchema, info);
  const checksum = read.checksum.replaceAll('"', '').trim().toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(checksum)) {
    throw refused('prepare', `its checksum is ${JSON.stringify(read.checksum)}, not an MD5`);
  }
  return {
    id: read.id,
    location: parseLocation(read.location),
    checksum,
    encrypted: read.location.endsWith('.enc'),
    swiftUrl: read.swift_url,
  };
}

function check<T>(
  method: string,
  schema: v.GenericSchema<unknown, T & { storage_driver: string | null }>,
  info: unknown,
): T {
  const result = v.safeParse(schema, info);
  if (!result.success) {
    const [issue] = result.issues;
    const field = v.getDotPath(issue);
    const wrong = field === null ? 'it is not an object' : `its ${field} is missing or wrong`;
    throw refused(method, wrong);
  }
  const driver = result.output.storage_driver;
  if (driver !== null && driver !== 'swift') {
    throw refused(method, `its storage_driver is ${JSON.stringify(driver)}, only swift is known`);
  }
  return result.output;
}

function refused(method: string, why: string): AgentError {
  return new AgentError(`the backup_info of ${method} cannot be used: ${why}`);
}
