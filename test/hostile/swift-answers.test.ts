import { describe, expect, it, onTestFinished } from 'vitest';
import { rescope } from '../../src/backup/swift/keystone.ts';
import { Patience } from '../../src/backup/swift/patience.ts';
import { findStorage } from '../../src/backup/swift/storage-target.ts';
import { SwiftClient } from '../../src/backup/swift/swift-client.ts';
import { refused } from '../../src/backup/swift/swift-error.ts';
import { systemClock } from '../../src/base/clock.ts';
import { retryAfterMs } from '../../src/http/retry-after.ts';
import { WatchedClock } from '../base/watched-clock.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { answering } from '../http/http-server.ts';
import { PLAIN_STORAGE } from '../helpers/storage-config.ts';

/** A Swift that answers with these pages, the last one for ever. */
async function swift(...pages: unknown[]): Promise<{ client: SwiftClient; asked: () => number }> {
  let asked = 0;
  const url = await answering((_, response) => {
    response.end(JSON.stringify(pages[Math.min(asked++, pages.length - 1)]));
  });
  const client = new SwiftClient({ storageUrl: `${url}/v1/A`, token: 't', clock: systemClock });
  onTestFinished(() => client.close());
  return { client, asked: () => asked };
}

const listed = (count: number, from = 0): { name: string; bytes: number }[] =>
  Array.from({ length: count }, (_, n) => ({
    name: `b_${String(from + n).padStart(8, '0')}`,
    bytes: 1,
  }));

describe('a list of Swift', () => {
  it('that repeats its page is refused at the second', async () => {
    const { client, asked } = await swift(listed(10_000));
    await expect(client.list('c', 'b_')).rejects.toThrow('its list does not go on');
    expect(asked()).toBe(2);
  });

  it('that goes back is refused', async () => {
    const { client } = await swift(listed(10, 100), listed(10, 50), []);
    await expect(client.list('c', 'b_')).rejects.toThrow('its list does not go on');
  });

  it('of short pages is read to its end', async () => {
    const { client, asked } = await swift(listed(3), listed(3, 3), []);
    expect(await client.list('c', 'b_')).toHaveLength(6);
    expect(asked()).toBe(3);
  });

  it('of 60,000 names in a page is read, and one of 200,000 refused', async () => {
    const many = await swift(listed(60_000), []);
    expect(await many.client.list('c', 'b_')).toHaveLength(60_000);
    const more = await swift(listed(200_000));
    await expect(more.client.list('c', 'b_')).rejects.toThrow('more than 100000 objects');
  });

  it('that goes on for ever in small pages ends', async () => {
    let asked = 0;
    const url = await answering((_, response) => {
      response.end(JSON.stringify(listed(9_000, 9_000 * asked++)));
    });
    const client = new SwiftClient({ storageUrl: `${url}/v1/A`, token: 't', clock: systemClock });
    onTestFinished(() => client.close());
    await expect(client.list('c', 'b_')).rejects.toThrow('more than 100000 objects');
    expect(asked).toBe(12);
  });

  it('with what was not asked for is refused: it would be removed', async () => {
    const { client } = await swift([{ name: 'precious', bytes: 1 }], []);
    await expect(client.list('c', 'b_')).rejects.toThrow('lists what does not begin with b_');
  });

  it.each([1.5, -1, '1', null, 2 ** 60])('with %j for bytes is refused', async (bytes) => {
    const { client } = await swift([{ name: 'b_1', bytes }], []);
    await expect(client.list('c', 'b_')).rejects.toThrow('its list cannot be read');
  });
});

it.each([1.5, -1, '1', null, 2 ** 60])('a segment of %j bytes is refused', async (bytes) => {
  const { client } = await swift([{ name: '/c/b_1', bytes, hash: 'x' }]);
  await expect(client.segments('c', 'b.gz')).rejects.toThrow('its list cannot be read');
});

describe('what Keystone says', () => {
  const ask = (url: string): ReturnType<typeof rescope> =>
    rescope(url, { token: 't', projectId: 'p' }, { ca: undefined, clock: systemClock });

  it('is not read beyond 4 MiB', async () => {
    let isOver = false;
    const url = await answering((_, response) => {
      response.once('close', () => (isOver = true));
      response.writeHead(201, { 'X-Subject-Token': 't' });
      const more = (): void => void response.write(Buffer.alloc(1024 * 1024, ' '), more);
      more();
    });
    await expect(ask(url)).rejects.toThrow('cannot be asked: more than 4194304 bytes');
    await expect.poll(() => isOver).toBe(true);
  });
});

describe('Retry-After', () => {
  const NOW = Date.parse('Mon, 30 Nov 2026 10:00:00 GMT');

  it.each([
    ['0', 0],
    ['7', 7_000],
    ['999999999999', 999_999_999_999_000],
    ['Mon, 30 Nov 2026 10:00:30 GMT', 30_000],
    ['Mon, 30 Nov 2026 09:00:00 GMT', 0],
    ['Monday, 30-Nov-26 10:00:05 GMT', 5_000],
    ['-1', null],
    ['1.5', null],
    ['soon', null],
    ['', null],
    [undefined, null],
  ])('%j asks for %j ms', (header, ms) => {
    expect(retryAfterMs(header, NOW)).toBe(ms);
  });

  it.each([
    [null, 250],
    [0, 250],
    [7_000, 7_000],
    [1e15, 60_000],
  ])(
    'of %j ms makes a pause of %d ms: honoured, and no longer than a minute',
    async (asked, ms) => {
      const clock = new WatchedClock();
      const { log } = recordingLog();
      const { signal } = new AbortController();
      const patience = new Patience({ clock, random: () => 0.5, log, signal });
      const bearing = patience.bear(refused('Swift', 503, { retryAfterMs: asked }));
      expect(await clock.untilWaiting()).toBe(ms);
      await clock.advance(ms);
      await bearing;
    },
  );
});

describe('a URL with a user', () => {
  const CALLER = { token: 'user-token', projectId: 'p', serviceCatalog: [] as unknown[] };
  const URL = 'http://trove:secret@swift.example/v1/AUTH_p';
  const catalog = [{ type: 'object-store', endpoints: [{ publicURL: URL }] }];

  it.each([
    ['backup_info', { swiftUrl: URL }, PLAIN_STORAGE, CALLER],
    ['configuration', { swiftUrl: null }, { ...PLAIN_STORAGE, swiftUrl: URL }, CALLER],
    ['service catalog', { swiftUrl: null }, PLAIN_STORAGE, { ...CALLER, serviceCatalog: catalog }],
  ])('of Swift from the %s is refused, and not shown', async (source, wanted, storage, caller) => {
    const refusal = findStorage(wanted, caller, storage, systemClock);
    await expect(refusal).rejects.toThrow(`the URL of Swift from the ${source} is not http:`);
    await expect(refusal).rejects.not.toThrow('secret@');
  });

  it('of Keystone is refused, and not shown', async () => {
    const refusal = rescope(
      'http://trove:secret@keystone.example/v3',
      { token: 't', projectId: 'p' },
      { ca: undefined, clock: systemClock },
    );
    await expect(refusal).rejects.toThrow(
      'without a user or a query: [secret]@keystone.example/v3',
    );
  });
});
