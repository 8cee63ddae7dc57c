import { expect, it } from 'vitest';
import { checkContainer, parseLocation } from '../../../src/backup/swift/location.ts';

it('takes the last two parts of the path for the container and the object', () => {
  expect(parseLocation('https://swift.example:8080/v1/AUTH_p/c/b-1.gz')).toEqual({
    accountUrl: 'https://swift.example:8080/v1/AUTH_p',
    container: 'c',
    object: 'b-1.gz',
  });
});

it.each([
  ['of no HTTP', 'file:///v1/AUTH_p/c/o'],
  ['without an object', 'http://swift.example/v1/AUTH_p/c/'],
  ['without a container', 'http://swift.example/o'],
  ['with a query before its container', 'http://swift.example/v1/AUTH_p?x=1/c/o'],
  ['with a fragment before its container', 'http://swift.example/v1/AUTH_p#x/c/o'],
  ['with a space before its container', 'http://swift.example/v1/AUTH p/c/o'],
  ['whose host is not where it seems to be', 'http://swift.example\\.evil/v1/AUTH_p/c/o'],
  ['with a line break', 'http://swift.example/v1/AUTH_p/c/o\nx'],
  ['that is no URL', 'http://:x/v1/AUTH_p/c/o'],
  ['with .. for a container', 'http://swift.example/v1/AUTH_p/../o'],
  ['with . for an object', 'http://swift.example/v1/AUTH_p/c/.'],
  ['that is empty', ''],
])('refuses one %s', (_, location) => {
  expect(() => parseLocation(location)).toThrow(
    `the backup's location ${JSON.stringify(location)} is not http://…/container/object`,
  );
});

it('refuses one with a user, and does not show the password', () => {
  expect(() => parseLocation('http://trove:secret@swift.example/v1/AUTH_p/c/o')).toThrow(
    `the backup's location "[secret]@swift.example/v1/AUTH_p/c/o" is not http://…/container/object`,
  );
});

it.each(['', '.', '..', 'a/b', 'a\nb', 'a\ud800'])('refuses %j for a container', (container) => {
  expect(() => checkContainer(container)).toThrow('cannot hold backups');
});
