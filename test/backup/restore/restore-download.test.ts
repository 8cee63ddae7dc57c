import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { downloadBackup } from '../../../src/backup/restore/restore-download.ts';
import { SwiftClient } from '../../../src/backup/swift/swift-client.ts';
import { hurriedClock } from '../../base/hurried-clock.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { md5, startMemorySwift, type Fault } from '../swift/memory-swift.ts';

const BYTES = randomBytes(30_000);
const LOCATION = { accountUrl: '', container: 'c', object: 'b-1.gz' };

/** A Swift with `c`, and what restores from it. */
async function lab() {
  const swift = await startMemorySwift();
  swift.containers.add('c');
  const client = new SwiftClient({ ...swift, clock: systemClock });
  onTestFinished(() => client.close());
  const { log, texts } = recordingLog();
  const ending = new AbortController();
  const patience = { clock: hurriedClock, random: () => 0.5, log, signal: ending.signal };
  const download = (checksum: string): Promise<Buffer> =>
    buffer(downloadBackup(client, { location: LOCATION, checksum }, patience));
  const bodies = (): string[] => swift.calls.filter((call) => /^GET [^?]*$/.test(call));
  return { swift, client, download, bodies, texts, ending };
}

type Lab = Awaited<ReturnType<typeof lab>>;

/** A plain backup in it. @returns its checksum. */
function plain({ client }: Lab): Promise<string> {
  return client.put('c', LOCATION.object, BYTES);
}

/** A backup of three segments. @returns its checksum. */
async function large({ client }: Lab): Promise<string> {
  const segments = await Promise.all(
    [0, 1, 2].map(async (n) => {
      const part = BYTES.subarray(n * 10_000, (n + 1) * 10_000);
      return { path: `c/s_${n}`, etag: await client.put('c', `s_${n}`, part), size_bytes: 10_000 };
    }),
  );
  return client.putManifest('c', LOCATION.object, segments);
}

/** Does this to the body of the object, so many times. */
function toBodies(times: number, fault: Fault): Fault {
  let left = times;
  return (request, response) => {
    const isBody = request.method === 'GET' && !request.url?.includes('?');
    return isBody && left-- > 0 ? fault(request, response) : undefined;
  };
}

/** Half of what is left, and the end of the connection. */
const cut: Fault = (request, response) => {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const rest = BYTES.subarray(from);
  const headers = { 'Content-Length': rest.length, Etag: md5(BYTES) };
  response.writeHead(from > 0 ? 206 : 200, headers);
  response.write(rest.subarray(0, rest.length / 2), () => response.destroy());
  return 'taken';
};

describe('a backup comes whole', () => {
  it.each([
    ['one object', plain],
    ['segments', large],
  ])('of %s, in one call', async (_, store) => {
    const one = await lab();
    expect(await one.download(await store(one))).toEqual(BYTES);
    expect(one.bodies()).toHaveLength(1);
    expect(one.texts).toEqual([]);
  });

  it('although the connection is lost again and again: the same object is read on', async () => {
    const one = await lab();
    const checksum = await plain(one);
    one.swift.fault = toBodies(9, cut);
    expect(await one.download(checksum)).toEqual(BYTES);
    expect(one.bodies()).toHaveLength(10);
  });

  it('or not at all when each of ten tries gives a few bytes: that is no progress', async () => {
    const one = await lab();
    const checksum = await plain(one);
    one.swift.fault = toBodies(10, cut);
    await expect(one.download(checksum)).rejects.toMatchObject({ name: 'SwiftError' });
  });

  it('although an answer ends early without a word', async () => {
    const one = await lab();
    const checksum = await plain(one);
    one.swift.fault = toBodies(1, (_, response) => {
      const headers = { 'Content-Length': 1000, Etag: checksum };
      response.writeHead(200, headers).end(BYTES.subarray(0, 1000));
      return 'taken';
    });
    expect(await one.download(checksum)).toEqual(BYTES);
  });

  it('although Swift is busy at first', async () => {
    const one = await lab();
    const checksum = await large(one);
    let busy = 3;
    one.swift.fault = (_, response) => {
      if (busy-- <= 0) return undefined;
      response.writeHead(503).end();
      return 'taken';
    };
    expect(await one.download(checksum)).toEqual(BYTES);
    expect(one.texts).toEqual(Array(3).fill('trying again'));
  });

  it('when it is empty, without a call for its body', async () => {
    const one = await lab();
    const checksum = await one.client.put('c', LOCATION.object, Buffer.alloc(0));
    expect(await one.download(checksum)).toHaveLength(0);
    expect(one.bodies()).toEqual([]);
  });
});

describe('a backup is refused before its body is asked for', () => {
  async function expectRefused(one: Lab, checksum: string, why: string): Promise<void> {
    await expect(one.download(checksum)).rejects.toThrow(why);
    expect(one.bodies()).toEqual([]);
  }

  it('when Trove has another checksum', async () => {
    const one = await lab();
    const etag = await plain(one);
    const other = md5('another');
    await expectRefused(one, other, `c/b-1.gz has the checksum ${etag} in Swift, and ${other} by`);
  });

  it('when its segments are not those of the checksum', async () => {
    const one = await lab();
    const checksum = await large(one);
    one.swift.objects.get('c/b-1.gz')?.segments?.reverse();
    await expectRefused(one, checksum, 'the segments of c/b-1.gz are not those of the backup');
  });

  it('when it is a dynamic large object', async () => {
    const one = await lab();
    one.swift.fault = (_, response) => {
      response.writeHead(200, { ETag: md5('x'), 'X-Object-Manifest': 'c/b-1' }).end();
      return 'taken';
    };
    await expectRefused(one, md5('x'), 'c/b-1.gz is a dynamic large object, which no backup is');
  });

  it('when it is gone: nobody waits for it', async () => {
    const one = await lab();
    await expectRefused(one, md5('x'), '404');
    expect(one.swift.calls).toHaveLength(1);
  });
});

describe('a backup is refused on the way', () => {
  it('when bytes are damaged, by the name of the segment', async () => {
    const one = await lab();
    const checksum = await large(one);
    const stored = one.swift.objects.get('c/b-1.gz')?.body;
    if (stored) stored[15_000] = ~(stored[15_000] ?? 0);
    await expect(one.download(checksum)).rejects.toThrow(/^the bytes of \/c\/s_1 have the MD5/);
  });

  it('when it was replaced by another one meanwhile', async () => {
    const one = await lab();
    const checksum = await plain(one);
    const lost = toBodies(1, cut);
    one.swift.fault = (request, response) => {
      const taken = lost(request, response);
      const stored = one.swift.objects.get('c/b-1.gz');
      if (taken && stored) one.swift.objects.set('c/b-1.gz', { ...stored, etag: md5('another') });
      return taken;
    };
    await expect(one.download(checksum)).rejects.toThrow('c/b-1.gz was replaced while it was read');
  });

  it('when Swift begins again where it should go on', async () => {
    const one = await lab();
    const checksum = await plain(one);
    const lost = toBodies(1, cut);
    one.swift.fault = (request, response) => {
      delete request.headers.range;
      return lost(request, response);
    };
    await expect(one.download(checksum)).rejects.toThrow(
      'Swift does not go on where the connection was lost',
    );
  });

  it('when nothing comes any more, try after try', async () => {
    const one = await lab();
    const checksum = await plain(one);
    one.swift.fault = toBodies(Infinity, (_, response) => {
      response.destroy();
      return 'taken';
    });
    await expect(one.download(checksum)).rejects.toMatchObject({ name: 'SwiftError' });
    expect(one.bodies()).toHaveLength(10);
  });

  it('when answers have no body any more, try after try', async () => {
    const one = await lab();
    const checksum = await plain(one);
    one.swift.fault = toBodies(Infinity, (_, response) => {
      response.writeHead(200, { 'Content-Length': 0, Etag: checksum }).end();
      return 'taken';
    });
    await expect(one.download(checksum)).rejects.toThrow('c/b-1.gz ended after 0 of 30000 bytes');
  });

  it('when the agent ends', async () => {
    const one = await lab();
    const checksum = await plain(one);
    one.swift.fault = toBodies(1, (_, response) => {
      one.ending.abort(new Error('the agent stops'));
      response.destroy();
      return 'taken';
    });
    await expect(one.download(checksum)).rejects.toThrow();
    expect(one.bodies()).toHaveLength(1);
  });
});
