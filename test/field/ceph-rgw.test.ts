import { randomBytes } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { downloadBackup } from '../../src/backup/restore/restore-download.ts';
import { patiently } from '../../src/backup/swift/patience.ts';
import { SwiftClient } from '../../src/backup/swift/swift-client.ts';
import { systemClock } from '../../src/base/clock.ts';
import { hurriedClock } from '../base/hurried-clock.ts';
import { BackupLab, type Door } from '../helpers/backup-lab.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { RestoreLab } from '../helpers/restore-lab.ts';
import { until } from '../helpers/until.ts';
import { RgwPeer } from '../peers/rgw/rgw-peer.ts';
import type { SwiftAccount } from '../peers/swift/account.ts';
import type { FaultDoor } from '../peers/swift/fault-door.ts';

const BYTES = randomBytes(30_000);
const CONTAINER = 'database_backups';
const OBJECT = 'b-1.gz';

type RgwOptions = Parameters<typeof RgwPeer.start>[0];

/** An RGW with a container, a door in front of it, and what restores by way of that. */
async function lab(options: RgwOptions = {}) {
  const rgw = await RgwPeer.start(options);
  const door = await rgw.door();
  const account = await rgw.account();
  await account.makeContainer(CONTAINER);
  const access = { storageUrl: door.url(), token: account.token, clock: systemClock };
  const client = new SwiftClient(access);
  onTestFinished(async () => {
    client.close();
    door.close();
    await rgw.stop();
  });
  const { log, texts } = recordingLog();
  const { signal } = new AbortController();
  const patience = { clock: hurriedClock, random: () => 0.5, log, signal };
  const location = { accountUrl: '', container: CONTAINER, object: OBJECT };
  const download = (checksum: string, object = OBJECT): Promise<Buffer> =>
    buffer(downloadBackup(client, { location: { ...location, object }, checksum }, patience));
  return { rgw, door, account, client, patience, texts, download };
}

/** A backup of three segments as Trove's own agent makes it. @returns its checksum. */
const stored = (account: SwiftAccount, object = OBJECT): Promise<string> =>
  account.putLarge(CONTAINER, object, BYTES, 10_000);

/** The calls that went through, without their account. */
const calls = ({ requests }: FaultDoor): string[] =>
  requests.map((one) => `${one.method} ${one.path.replace(/^.*AUTH_test\//, '')}`);

const LIST = `GET ${CONTAINER}?format=json&prefix=b-1_&marker=`;
const MANIFEST = `GET ${CONTAINER}/${OBJECT}?multipart-manifest=get`;

describe('a backup of several segments is restored', () => {
  it.each([
    ['nothing for a manifest: by the list of the container', 'empty', [MANIFEST, LIST]],
    ['the manifest as it was written: by that', 'raw', [MANIFEST]],
  ] as const)('from an RGW that answers %s', async (_, manifests, asked) => {
    const { account, door, download } = await lab({ manifests });
    expect(await download(await stored(account))).toEqual(BYTES);
    expect(calls(door).slice(1, -1)).toEqual(
      manifests === 'raw' ? asked : [...asked, `${LIST}b-1_00000002`],
    );
  });

  it('by a list of several pages', async () => {
    const { account, door, download } = await lab({ listingLimit: 2 });
    expect(await download(await stored(account))).toEqual(BYTES);
    expect(calls(door).filter((call) => call.startsWith(LIST))).toHaveLength(3);
  });

  it.each(['b-1.tar.gz', 'b-1'])('when its name is %s', async (object) => {
    const { account, download } = await lab();
    expect(await download(await stored(account, object), object)).toEqual(BYTES);
  });

  it('although a longer try has left segments behind its own', async () => {
    const { account, download } = await lab();
    const checksum = await stored(account);
    await account.put(CONTAINER, 'b-1_00000003', 'of the longer one');
    await account.put(CONTAINER, 'b-1_notes', 'of somebody');
    expect(await download(checksum)).toEqual(BYTES);
  });

  it('with segments in another container, when the manifest can be read', async () => {
    const { account, client, download } = await lab({ manifests: 'raw' });
    await account.makeContainer('segments');
    const etag = await account.put('segments', 's', BYTES);
    const entry = { path: 'segments/s', etag, size_bytes: BYTES.length };
    expect(await download(await client.putManifest(CONTAINER, OBJECT, [entry]))).toEqual(BYTES);
  });

  it.each([400, 403, 405, 501, 503])(
    'when the question for its manifest is answered by %i',
    async (status) => {
      const { account, door, download } = await lab({ manifests: 'raw' });
      const fault = { kind: 'answer', status, when: 'before-body' } as const;
      door.add({ fault, path: /multipart-manifest/ });
      expect(await download(await stored(account))).toEqual(BYTES);
    },
  );

  it('although the connection is lost: nothing is asked by If-Match, which RGW knows otherwise', async () => {
    const { account, door, download } = await lab();
    const checksum = await stored(account);
    const fault = { kind: 'cut', way: 'response', afterBytes: 7_000, how: 'reset' } as const;
    door.add({ fault, path: /\.gz$/, method: 'GET', times: 3 });
    expect(await download(checksum)).toEqual(BYTES);
    const asked = await account.get(CONTAINER, OBJECT, { 'If-Match': `"${checksum}"` });
    expect(asked.status).toBe(412);
  });
});

describe('a backup of several segments is refused, without asking ten times', () => {
  async function refusal(one: Awaited<ReturnType<typeof lab>>, checksum: string): Promise<unknown> {
    const outcome: unknown = await one.download(checksum).catch((error: unknown) => error);
    expect(calls(one.door).filter((call) => call === MANIFEST)).toHaveLength(1);
    expect(calls(one.door).filter((call) => call === LIST).length).toBeLessThan(2);
    return outcome;
  }

  it('when a segment is gone: the line says what each source has', async () => {
    const one = await lab();
    const checksum = await stored(one.account);
    await one.account.delete(CONTAINER, 'b-1_00000002');
    expect(await refusal(one, checksum)).toMatchObject({
      message: `the segments of ${CONTAINER}/${OBJECT} are not those of the backup: its manifest has none; the 2 of the container's list have another sum`,
    });
  });

  it('when a segment has other bytes of the same size, which RGW hands out', async () => {
    const one = await lab({ manifests: 'raw' });
    const checksum = await stored(one.account);
    await one.account.put(CONTAINER, 'b-1_00000001', randomBytes(10_000));
    expect(await refusal(one, checksum)).toMatchObject({
      message: expect.stringMatching(/^the bytes of .*b-1_00000001 have the MD5/) as string,
    });
  });

  it('when the list is not permitted', async () => {
    const one = await lab();
    const checksum = await stored(one.account);
    const fault = { kind: 'answer', status: 403, when: 'before-body' } as const;
    one.door.add({ fault, path: /format=json/ });
    expect(await refusal(one, checksum)).toMatchObject({
      message: expect.stringMatching(/has none; .*: 403 \(this user may not do so/) as string,
    });
  });

  it('when the token has expired: no other source is asked', async () => {
    const one = await lab();
    const checksum = await stored(one.account);
    one.door.expireTokensAfter(1);
    expect(await refusal(one, checksum)).toMatchObject({ status: 401 });
    expect(calls(one.door)).toHaveLength(2);
  });

  it.each([
    [30_000, /was replaced while it was read$/],
    [5_000, /: 416 \(the object is shorter than it was; it says: InvalidRange\)/],
  ])('when one of %d bytes has replaced it while it was read', async (bytes, why) => {
    const one = await lab();
    const checksum = await stored(one.account);
    const fault = { kind: 'cut', way: 'response', afterBytes: 7_000, how: 'reset' } as const;
    const body = { path: /\.gz$/, method: 'GET' };
    one.door.add({ fault, ...body, times: 1 });
    one.door.add({ fault: { kind: 'answer', status: 503, when: 'before-body' }, ...body });
    const reading = one.download(checksum);
    reading.catch(() => undefined); // it is looked at below
    await until('a part has come', () => one.texts.includes('trying again'));
    await one.account.put(CONTAINER, OBJECT, randomBytes(bytes));
    one.door.clear();
    await expect(reading).rejects.toThrow(why);
  });
});

describe('a whole answer that cannot be used is not asked for again', () => {
  /** A client of something that answers everything so. */
  async function clientOf(listener: RequestListener) {
    let asked = 0;
    const server = createServer((request, response) => {
      asked += 1;
      listener(request, response);
    });
    await new Promise<void>((go) => server.listen(0, '127.0.0.1', go));
    const { port } = server.address() as AddressInfo;
    const storageUrl = `http://127.0.0.1:${port}/v1/AUTH_test`;
    const client = new SwiftClient({ storageUrl, token: 't', clock: systemClock });
    onTestFinished(() => {
      client.close();
      server.closeAllConnections();
      server.close();
    });
    const { patience } = await lab();
    return { client, patience, asked: () => asked };
  }

  it.each(['<html>please log in</html>', '', '{}', '[{"name":1}]'])(
    'such as %j for a list',
    async (body) => {
      const { client, patience, asked } = await clientOf((_, response) => response.end(body));
      const outcome = patiently(patience, () => client.list(CONTAINER, 'b-1_'));
      await expect(outcome).rejects.toThrow('its list cannot be read');
      expect(asked()).toBe(1);
    },
  );

  it.each(['<html>', '{}', '[{"path":"c/s"}]', '[{"path":"c/s","etag":"x","size_bytes":-1}]'])(
    'such as %j for a manifest',
    async (body) => {
      const { client, patience, asked } = await clientOf((_, response) => response.end(body));
      const outcome = patiently(patience, () => client.segments(CONTAINER, OBJECT));
      await expect(outcome).rejects.toThrow('its list cannot be read');
      expect(asked()).toBe(1);
    },
  );

  it.each(['"abc"', 'abc', 'W/"abc"'])('an ETag %s is abc', async (etag) => {
    const { client } = await clientOf((_, response) => response.writeHead(200, { etag }).end());
    expect(await client.head(CONTAINER, OBJECT)).toMatchObject({ etag: 'abc' });
  });

  it('the call behind a HEAD has another connection: RGW still reads what it was asked for', async () => {
    const ports: unknown[] = [];
    const { client } = await clientOf(({ socket }, response) => {
      ports.push(socket.remotePort);
      response.writeHead(200, { Etag: 'x', 'Content-Length': 2 }).end('[]');
    });
    await client.list(CONTAINER, 'b-1_');
    await client.head(CONTAINER, OBJECT);
    await client.segments(CONTAINER, OBJECT);
    expect(ports[0]).toBe(ports[1]);
    expect(ports[2]).not.toBe(ports[1]);
  });

  it.each([
    ['Swift', '/v1/AUTH_test', '/info'],
    ['RGW', '/swift/v1', '/swift/info'],
    ['RGW with accounts', '/swift/v1/AUTH_test', '/swift/info'],
    ['a proxy', '/object/store/v1.0/AUTH_v1', '/object/store/info'],
  ])('the limits of %s are asked for at its place, without the token', async (_, root, place) => {
    const asked: unknown[] = [];
    const server = createServer(({ url, headers }, response) => {
      asked.push(url, headers['x-auth-token']);
      response.end('{"swift":{"max_file_size":7},"slo":{"max_manifest_segments":3}}');
    });
    await new Promise<void>((go) => server.listen(0, '127.0.0.1', go));
    onTestFinished(() => void server.close());
    const storageUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}${root}`;
    const client = new SwiftClient({ storageUrl, token: 't', clock: systemClock });
    const limits = { objectBytes: 7, segments: 3, leastSegmentBytes: 1 };
    expect(await client.limits()).toEqual(limits);
    expect(asked).toEqual([place, undefined]);
    client.close();
  });
});

describe('what RGW says is shown beside what to do', () => {
  it('a container of another project: once, and not ten times', async () => {
    const { rgw, door, client, patience } = await lab({ sharedNames: true });
    await (await rgw.account('other')).makeContainer('theirs');
    const outcome = patiently(patience, () => client.createContainer('theirs'));
    await expect(outcome).rejects.toThrow(
      /: 409 \(a container of this name belongs to another project, .*: name another container; it says: BucketAlreadyExists\), request tx/,
    );
    expect(calls(door)).toEqual(['PUT theirs']);
  });

  it('a token that is not good', async () => {
    const { door, client } = await lab();
    door.expireTokensAfter(0);
    await expect(client.createContainer('mine')).rejects.toThrow(
      /: 401 \(the token has expired or is not valid: .*; it says: AccessDenied\)/,
    );
  });

  it.each([
    ['a name that is too short', 'ab', /: 400 \(InvalidBucketName\)/],
    ['a name with a dot in front', '.backups', /: 400 \(InvalidBucketName\)/],
  ])('%s', async (_, container, why) => {
    const { client, door, patience } = await lab();
    await expect(patiently(patience, () => client.createContainer(container))).rejects.toThrow(why);
    expect(door.requests).toHaveLength(1);
  });

  it('an object that is larger than rgw_max_put_size', async () => {
    const { client, door, patience } = await lab({ maxFileSize: 20_000 });
    async function* body(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(BYTES);
    }
    const outcome = patiently(patience, () => client.put(CONTAINER, 'large', body()));
    await expect(outcome).rejects.toThrow(/: 400 \(EntityTooLarge\)/);
    expect(door.requests).toHaveLength(1);
  });

  it.each([498, 500, 503])('%i passes: the same is asked again', async (status) => {
    const { client, door, patience } = await lab();
    const fault = { kind: 'answer', status, when: 'before-body' } as const;
    door.add({ fault, times: 3 });
    await patiently(patience, () => client.createContainer('mine'));
    expect(door.requests).toHaveLength(4);
  });
});

/** A backup of 3.4 MB, made by way of the door in segments of 1.1 MB, is restored as it was. */
async function expectRestored(account: SwiftAccount, door: Door): Promise<string> {
  const source = await BackupLab.open(account, door);
  const { location, checksum } = await source.backup();
  const object = path.basename(location);
  const target = await RestoreLab.open(account, door);
  await target.restore({ object, checksum });
  const put = path.join(path.dirname(target.data), 'again.k2har');
  await target.run(`ar put ${put}`);
  expect((await readFile(put)).equals(source.archive)).toBe(true);
  return location;
}

describe('a backup is made and restored on an RGW', () => {
  it.each<[string, RgwOptions, number]>([
    ['that takes objects of a megabyte', { maxFileSize: 1_000_000 }, 6],
    ['that takes three segments', { maxSegments: 3 }, 3],
    ['that lists in pages of two', { listingLimit: 2 }, 4],
    ['that knows manifests', { manifests: 'raw' }, 4],
  ])('%s, and deleted without a rest as Trove does', async (_, options, segments) => {
    const { door, account } = await lab(options);
    const location = await expectRestored(account, door);
    expect(await account.names(CONTAINER)).toHaveLength(segments + 1);
    await account.delete(CONTAINER, path.basename(location), { segments: true });
    expect(await account.names(CONTAINER)).toEqual([]);
  });

  it('whose catalog has no account in its URL', async () => {
    const { rgw, account } = await lab();
    const location = await expectRestored(account, { url: () => rgw.urlWithoutAccount });
    expect(location).toMatch(/\/swift\/v1\/database_backups\/[^/]+\.gz$/);
  });

  it('that never asks for a body (rgw_print_continue = false): it gets it unasked', async () => {
    const { account, client } = await lab({ asksForBodies: false });
    async function* body(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(BYTES);
    }
    await client.put(CONTAINER, 'o', body());
    expect((await account.get(CONTAINER, 'o')).body).toEqual(BYTES);
  });

  it('is refused before anything is sent when it cannot take it', async () => {
    const { door, account } = await lab({ maxFileSize: 1_000_000, maxSegments: 3 });
    const source = await BackupLab.open(account, door);
    await expect(source.backup()).rejects.toThrow(
      /Swift takes 3 segments of 1000000: it cannot be backed up/,
    );
    expect(await source.inSwift()).toEqual([]);
    expect(calls(door).filter((call) => call.startsWith('PUT'))).toEqual([`PUT ${CONTAINER}`]);
  });

  it('that does not tell its limits, by those of Swift', async () => {
    const { door, account } = await lab();
    const fault = { kind: 'answer', status: 503, when: 'before-body' } as const;
    door.add({ fault, path: /info/ });
    const source = await BackupLab.open(account, door);
    await source.backup();
    expect(await source.inSwift()).toHaveLength(5);
    expect(door.requests.filter(({ path: one }) => one.includes('info'))).toHaveLength(1);
  });
});

it('an RGW before 2023 leaves the segments that a manifest names without a slash', async () => {
  const { account } = await lab();
  await stored(account); // as Trove's own agent and this one's first releases name them
  await account.delete(CONTAINER, OBJECT, { segments: true });
  expect(await account.names(CONTAINER)).toEqual(['b-1_00000000', 'b-1_00000001', 'b-1_00000002']);
});
