import { expect, it } from 'vitest';
import { parseLocation } from '../../../src/backup/swift/location.ts';

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
  ['with a query', 'http://swift.example/v1/AUTH_p/c/o?x=1'],
  ['with a fragment', 'http://swift.example/v1/AUTH_p/c/o#x'],
  ['with a space', 'http://swift.example/v1/AUTH_p/c/a b'],
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
