import { expect, it } from 'vitest';
import { OsloConfig } from '../../src/oslo/oslo-config.ts';
import { readStorageOptions } from '../../src/trove/storage-options.ts';

const read = (options: Record<string, string>): ReturnType<typeof readStorageOptions> =>
  readStorageOptions(
    new OsloConfig(
      Object.entries(options).map(([name, text]) => {
        const [group = '', option = ''] = name.split('.');
        return { group, option, text, where: name };
      }),
    ),
  );

it("has Trove's own defaults", () => {
  expect(read({})).toEqual({
    swiftUrl: null,
    container: 'database_backups',
    serviceType: 'object-store',
    endpointType: 'publicURL',
    insecure: false,
    authUrl: null,
    region: null,
    decryptionKey: null,
  });
});

it('reads what a site sets', () => {
  const site = {
    'DEFAULT.swift_url': 'http://swift/v1/AUTH_',
    'DEFAULT.backup_swift_container': 'k2hdkc_backups',
    'DEFAULT.swift_api_insecure': 'True',
    'service_credentials.auth_url': 'http://keystone/identity/v3',
    'service_credentials.region_name': 'RegionOne',
  };
  expect(read(site)).toMatchObject({
    swiftUrl: 'http://swift/v1/AUTH_',
    container: 'k2hdkc_backups',
    insecure: true,
    authUrl: 'http://keystone/identity/v3',
    region: 'RegionOne',
  });
});

it('finds the key of old backups where it belongs and where it is wrongly written', () => {
  const wrong = { 'service_credentials.backup_aes_cbc_key': 'elsewhere' };
  expect(read(wrong).decryptionKey).toBe('elsewhere');
  expect(read({ ...wrong, 'DEFAULT.backup_aes_cbc_key': 'here' }).decryptionKey).toBe('here');
});
