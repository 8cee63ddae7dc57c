import { describe, expect, it } from 'vitest';
import { parseBackupRequest, parseRestoreRequest } from '../../src/backup/backup-info.ts';

const ID = '6f6c2b1e-0c2f-4a3a-9f5c-000000000001';
const LOCATION = `http://swift.example:8080/v1/AUTH_p/database_backups/${ID}.gz`;
const MD5 = '0123456789abcdef0123456789abcdef';

describe('backup_info of create_backup', () => {
  const older = {
    id: ID,
    name: 'b1',
    description: null,
    instance_id: 'i-1',
    backup_type: 'full',
    checksum: null,
    parent: null,
    datastore: 'k2hdkc',
    datastore_version: '1.0.16',
    swift_container: null,
  };

  it('is read as releases until 2026.1 write it', () => {
    expect(parseBackupRequest(older)).toEqual({
      id: ID,
      datastore: 'k2hdkc',
      datastoreVersion: '1.0.16',
      container: null,
      swiftUrl: null,
      hasParent: false,
    });
  });

  it('is read as newer releases write it', () => {
    const url = 'http://swift/v1/AUTH_p';
    const newer = { ...older, storage_driver: 'swift', swift_url: url, swift_container: 'mine' };
    expect(parseBackupRequest(newer)).toMatchObject({ container: 'mine', swiftUrl: url });
  });

  it('tells of a parent', () => {
    const parent = { location: LOCATION, checksum: MD5 };
    expect(parseBackupRequest({ ...older, parent }).hasParent).toBe(true);
  });

  it.each([
    ['an id that is no name of an object', { ...older, id: '../x' }, 'its id is missing or wrong'],
    ['no id', { ...older, id: undefined }, 'its id is missing or wrong'],
    ['another driver', { ...older, storage_driver: 'cinder' }, '"cinder", only swift'],
    ['no object', 'text', 'it is not an object'],
  ])('is refused with %s', (_, info, why) => {
    expect(() => parseBackupRequest(info)).toThrow(why);
  });
});

describe('backup_info of prepare', () => {
  const info = { id: ID, instance_id: 'i-0', location: LOCATION, type: 'full', checksum: MD5 };

  it('is read', () => {
    expect(parseRestoreRequest(info)).toEqual({
      id: ID,
      location: {
        accountUrl: 'http://swift.example:8080/v1/AUTH_p',
        container: 'database_backups',
        object: `${ID}.gz`,
      },
      checksum: MD5,
      encrypted: false,
      swiftUrl: null,
    });
  });

  it('loses the quotes that an SLO of another region has', () => {
    const quoted = { ...info, checksum: `"${MD5.toUpperCase()}"` };
    expect(parseRestoreRequest(quoted).checksum).toBe(MD5);
  });

  it('tells of an object from before Victoria', () => {
    const old = { ...info, location: `${LOCATION}.enc`, storage_driver: 'swift' };
    expect(parseRestoreRequest(old).encrypted).toBe(true);
  });

  it.each([
    ['no checksum', { checksum: null }, 'its checksum is missing or wrong'],
    ['a checksum that is none', { checksum: 'abc' }, 'its checksum is "abc", not an MD5'],
    ['no location', { location: undefined }, 'its location is missing or wrong'],
    ['a location that is none', { location: 'b/x.gz' }, '"b/x.gz" is not http://'],
    ['a location with a user', { location: 'http://u:p@s/v1/A/c/b.gz' }, 'is not http://'],
  ])('is refused with %s', (_, change, why) => {
    expect(() => parseRestoreRequest({ ...info, ...change })).toThrow(why);
  });
});
