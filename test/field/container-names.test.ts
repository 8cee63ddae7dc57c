import { expect, it } from 'vitest';
import { checkContainer, parseLocation } from '../../src/backup/swift/location.ts';
import { SwiftClient } from '../../src/backup/swift/swift-client.ts';
import { systemClock } from '../../src/base/clock.ts';
import { md5, startMemorySwift } from '../backup/swift/memory-swift.ts';

const NAMES = [
  'my backups',
  'what?',
  'a#b',
  '100%',
  'a+b',
  'a%20b',
  'Sicherung für ö',
  'a\\b',
  '"q"',
];

it.each(NAMES)(
  'a container %j: what is stored there is found by its location',
  async (container) => {
    const swift = await startMemorySwift();
    checkContainer(container);
    const { storageUrl, token } = swift;
    const client = new SwiftClient({ storageUrl, token, clock: systemClock });
    try {
      await client.createContainer(container);
      await client.put(container, 'b_0', Buffer.from('hello'));
      await client.copy(`${container}/b_0`, container, 'b.gz');
      // As Trove notes it, and as Trove hands it back.
      const found = parseLocation(`${storageUrl}/${container}/b.gz`);
      expect(found).toEqual({ accountUrl: storageUrl, container, object: 'b.gz' });
      expect(await client.head(found.container, found.object)).toMatchObject({
        etag: md5('hello'),
      });
      expect(await client.list(found.container, 'b_')).toEqual([
        { name: 'b_0', bytes: 5, hash: md5('hello') },
      ]);
    } finally {
      client.close();
    }
  },
);
