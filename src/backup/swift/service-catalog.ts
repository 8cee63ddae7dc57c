import type { StorageConfig } from './storage-config.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The URL of the account in a service catalog, or null when it has none of that type and region.
 * Requests carry the old form (one entry a region, one key a kind of URL), Keystone v3 answers with
 * the new one (one entry a URL); both are understood.
 */
export function endpointOf(
  catalog: readonly unknown[],
  config: Pick<StorageConfig, 'serviceType' | 'endpointType' | 'region'>,
): string | null {
  const wanted = config.endpointType.replace(/URL$/, '');
  const endpoints = catalog
    .filter(isFields)
    .filter((service) => service['type'] === config.serviceType)
    .flatMap((service) => listOf(service['endpoints']))
    .filter(isFields)
    .filter(({ region, region_id: id }) => [null, region, id].includes(config.region));
  for (const endpoint of endpoints) {
    const url = endpoint['interface'] === wanted ? endpoint['url'] : endpoint[`${wanted}URL`];
    if (typeof url === 'string' && url !== '') return url;
  }
  return null;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
