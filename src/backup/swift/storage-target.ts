import { AgentError, messageOf } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import { withoutTrailing } from '../../base/text.ts';
import { isBaseUrl, showable } from '../../http/target.ts';
import type { Caller } from './caller.ts';
import { rescope } from './keystone.ts';
import type { ObjectLocation } from './location.ts';
import { endpointOf } from './service-catalog.ts';
import type { StorageConfig } from './storage-config.ts';

/** Where Swift is, and as whom it is used. */
export interface StorageTarget {
  /** `https://swift/v1/AUTH_<project>`, without a slash at its end. */
  accountUrl: string;
  /** A secret. */
  token: string;
  /** Which of the sources it is from, for the log. */
  source: Source;
}

type Source = 'backup_info' | 'configuration' | 'service catalog' | 'Keystone' | 'location';

/** What a request says about where its backup is; only a restore has a location. */
export interface Wanted {
  swiftUrl: string | null;
  location?: ObjectLocation;
}

/**
 * Finds the account in Swift, in this order (docs/contracts/swift.md, 1.2): swift_url of
 * backup_info, swift_url of the configuration, the request's service catalog, Keystone, and for a
 * restore what stands before the container in the backup's own location.
 *
 * @throws AgentError, with what each source lacks.
 */
export async function findStorage(
  wanted: Wanted,
  caller: Caller,
  config: StorageConfig,
  clock: Clock,
): Promise<StorageTarget> {
  const { token, projectId, serviceCatalog } = caller;
  const target = (source: Source, url: string, by = token): StorageTarget => ({
    accountUrl: accountUrl(source, url),
    token: by,
    source,
  });
  if (wanted.swiftUrl !== null) return target('backup_info', wanted.swiftUrl);
  if (config.swiftUrl !== null) return target('configuration', config.swiftUrl + projectId);
  const fromCatalog = endpointOf(serviceCatalog, config);
  if (fromCatalog !== null) return target('service catalog', fromCatalog);
  const scoped = await askKeystone(caller, config, clock);
  if ('url' in scoped) return target('Keystone', scoped.url, scoped.token);
  if (wanted.location) return target('location', wanted.location.accountUrl);
  throw new AgentError(
    `it is not known where Swift is: backup_info and the configuration have no swift_url, the request's catalog has no ${wantedEndpoint(config)}, and ${scoped.lack}; set swift_url, or auth_url of [service_credentials], in trove-guestagent.conf`,
  );
}

async function askKeystone(
  caller: Caller,
  config: StorageConfig,
  clock: Clock,
): Promise<{ url: string; token: string } | { lack: string }> {
  if (config.authUrl === null) return { lack: 'no auth_url is configured' };
  try {
    const { token, catalog } = await rescope(config.authUrl, caller, { ca: config.ca, clock });
    const url = endpointOf(catalog, config);
    return url === null
      ? { lack: `the catalog of Keystone has no ${wantedEndpoint(config)} either` }
      : { url, token };
  } catch (error) {
    return { lack: messageOf(error) };
  }
}

function wantedEndpoint({ serviceType, endpointType, region }: StorageConfig): string {
  return `${endpointType} of type ${serviceType}${region === null ? '' : ` in ${region}`}`;
}

function accountUrl(source: Source, url: string): string {
  const trimmed = withoutTrailing(url, '/');
  if (isBaseUrl(trimmed)) return trimmed;
  throw new AgentError(
    `the URL of Swift from the ${source} is not http://host:port/… or https://…, without a user or a query: ${showable(url)}`,
  );
}
