import { randomUUID } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import type http from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../helpers/project-root.ts';
import { until } from '../../helpers/until.ts';
import { answering } from '../../http/http-server.ts';
import { drips, openRawPeer, pours, rawPeer, says, type Behaviour } from '../raw-peer.ts';
import { Attacked } from './attacked.ts';

const TOKEN = 'token-canary-41d2';
/** In place of 60 s it waits for 1 s, and so on. */
const SHORT = {
  NODE_OPTIONS: `--require=${path.join(projectRoot, 'test/helpers/short-limits.cjs')}`,
};

let attacked: Attacked;
/** What Keystone does. */
let keystone: Behaviour = says();
let keystonePeer: Awaited<ReturnType<typeof openRawPeer>>;

beforeAll(async () => {
  keystonePeer = await openRawPeer((socket) => keystone(socket));
  attacked = await Attacked.open({ environment: SHORT });
  const { vm } = attacked.actor;
  const conf = vm.path('conf.d/trove-guestagent.conf');
  const text = await readFile(conf, 'utf8');
  await writeFile(conf, text.replace(/^auth_url = .*$/m, `auth_url = ${keystonePeer.url}/v3`));
  await vm.endAgent('SIGTERM');
  await vm.startAgent();
  await vm.untilServing();
});

afterAll(async () => {
  await attacked.close();
  keystonePeer.close();
});

/** Has Trove ask for a backup, which must fail and harm nothing: what users are shown. */
async function failsToBackUp(info: Record<string, unknown>): Promise<string> {
  const { stage, actor, pids } = attacked;
  const id = randomUUID();
  await stage.trove.addBackup(id, actor.id);
  const backup_info = {
    id,
    instance_id: actor.id,
    backup_type: 'full',
    storage_driver: 'swift',
    swift_container: 'backups',
    ...info,
  };
  const { length } = await actor.vm.log();
  await stage.trove.api(actor.id, 'create_backup', { backup_info }, { authToken: TOKEN });
  const row = await until('the backup ends', async () => {
    const now = await stage.trove.backup(id);
    return ['COMPLETED', 'FAILED'].includes(now.state) && now;
  });
  expect(row).toMatchObject({ state: 'FAILED', location: null });
  const why = await actor.vm.untilLog(/operation failed operation=create_backup/, length);
  expect(await attacked.answers()).toBe(true);
  expect(attacked.pids).toEqual(pids);
  expect(await actor.vm.log()).not.toContain(TOKEN);
  return why;
}

const CHUNKED = 'HTTP/1.1 201 Created\r\nX-Subject-Token: t\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('a backup by a Keystone that answers with', () => {
  it.each<[string, Behaviour]>([
    ['nothing', says()],
    ['101', says('HTTP/1.1 101 Switching Protocols\r\n\r\n')],
    ['103 and nothing more', says('HTTP/1.1 103 Early Hints\r\n\r\n')],
    ['103 without end', drips('', 'HTTP/1.1 103 Early Hints\r\n\r\n')],
    ['half a chunk', says(`${CHUNKED}ff\r\nhalf`)],
    ['a byte from time to time', drips(CHUNKED, '1\r\nx\r\n', 100)],
    ['a body without end', pours(CHUNKED, `10000\r\n${'x'.repeat(65_536)}\r\n`)],
    ['a catalog that is none', says(`${CHUNKED}2\r\n{}\r\n0\r\n\r\n`)],
  ])('%s ends, and says so', async (_, behave) => {
    keystone = behave;
    expect(await failsToBackUp({})).toMatch(
      /Keystone at http:\/\/127\.0\.0\.1:\d+ (cannot be asked|answered)/,
    );
    await until('it is left', () => keystonePeer.open() === 0);
  });
});

/** A Swift whose answers a test makes; without one a call is answered with 201. */
function swift(
  answer: (call: http.IncomingMessage, response: http.ServerResponse) => boolean,
): Promise<string> {
  return answering((call, response) => {
    call.resume().once('end', () => {
      if (answer(call, response)) return;
      response.writeHead(201, { ETag: 'x' }).end();
    });
    response.writeContinue();
  });
}

describe('a backup to a Swift', () => {
  it.each(['.', '..', 'a/b', '\u001b[31m'])(
    'with the container %j is refused before it is asked',
    async (swift_container) => {
      const peer = await rawPeer(says());
      const why = await failsToBackUp({ swift_url: `${peer.url}/v1/A`, swift_container });
      expect(why).toContain('cannot hold backups');
      expect(why).not.toContain('\u001b');
      expect(peer.made()).toBe(0);
    },
  );

  it('with a user in its URL is refused, and the password is not shown', async () => {
    const peer = await rawPeer(says());
    const swift_url = `${peer.url.replace('//', '//trove:canary-8fd1@')}/v1/A`;
    expect(await failsToBackUp({ swift_url })).toContain('without a user');
    expect(await attacked.actor.vm.log()).not.toContain('canary-8fd1');
    expect(peer.made()).toBe(0);
  });

  it('that asks to be left alone for years is left alone for a minute at a time', async () => {
    let asked = 0;
    const url = await swift((_, response) => {
      asked += 1;
      response.writeHead(503, { 'Retry-After': '999999999999' }).end();
      return true;
    });
    expect(await failsToBackUp({ swift_url: `${url}/v1/A` })).toContain('503');
    expect(asked).toBe(10);
    expect(await attacked.actor.vm.log()).toContain('pauseMs=60000');
  });

  /** Takes a container, refuses objects, and lists this when what is there is to be removed. */
  async function listing(
    page: (marker: string) => unknown[],
  ): Promise<{ why: string; lists: number }> {
    let lists = 0;
    const url = await swift((call, response) => {
      const { searchParams, pathname } = new URL(call.url ?? '', 'http://x');
      if (call.method === 'PUT' && pathname.includes('/backups/')) response.writeHead(403).end();
      else if (call.method === 'GET' && searchParams.has('marker')) {
        lists += 1;
        const prefix = searchParams.get('prefix') ?? '';
        const text = JSON.stringify(page(searchParams.get('marker') ?? ''));
        response.end(text.replaceAll('PREFIX', prefix));
      } else return false;
      return true;
    });
    const { length } = await attacked.actor.vm.log();
    await failsToBackUp({ swift_url: `${url}/v1/A` });
    const why = await attacked.actor.vm.untilLog(/a failed backup stays in Swift/, length);
    return { why, lists };
  }

  it('that repeats a page of its list is asked for no third', async () => {
    const { why, lists } = await listing(() => [{ name: 'PREFIX_00000000', bytes: 1 }]);
    expect(why).toContain('its list does not go on');
    expect(lists).toBe(2);
  });

  it('that lists 300,000 names in a page is refused', async () => {
    const page = Array.from({ length: 300_000 }, (_, n) => ({
      name: `PREFIX_${String(n).padStart(8, '0')}`,
      bytes: 1,
    }));
    expect((await listing(() => page)).why).toContain('an answer without end'); // 8 MiB are read
  });

  it.each([1.5, -1, null, 1e300])('that lists %j bytes is refused', async (bytes) => {
    const { why } = await listing(() => [{ name: 'PREFIX_00000000', bytes }]);
    expect(why).toContain('its list cannot be read');
  });

  it('that lists what was not asked for has nothing of it removed', async () => {
    const { why } = await listing(() => [{ name: 'precious', bytes: 1 }]);
    expect(why).toContain('lists what does not begin with');
  });
});

/** Has Trove make a node of a backup, which must fail and harm nothing: what users are shown. */
async function failsToRestore(
  info: Record<string, unknown>,
): Promise<{ why: string; log: string }> {
  const { stage } = attacked;
  const actor = await stage.actor('restored', { environment: SHORT });
  try {
    await actor.vm.startAgent();
    const backup = {
      info: { id: 'b-1', checksum: MD5, type: 'full', storage_driver: 'swift', ...info },
      token: TOKEN,
    };
    await stage.prepare(actor, { clustered: false, backup });
    await stage.trove.waitForStatus(actor.id, 'failed to spawn');
    const fault = await until('the fault is in Trove’s database', async () =>
      (await stage.trove.instanceFaults(actor.id)).at(0),
    );
    expect(await stage.trove.api(actor.id, 'rpc_ping', {})).toBe(true);
    expect(await readdir(actor.vm.dataDirectory)).toEqual([]);
    const log = await actor.vm.log();
    expect(log).not.toContain(TOKEN);
    return { why: fault.message, log };
  } finally {
    await actor.vm.destroy();
  }
}

const MD5 = 'c'.repeat(32);

/** A Swift with one large object, which is answered for by the test once its head was. */
async function holding(
  answer: (query: URLSearchParams, response: http.ServerResponse) => void,
  head: http.OutgoingHttpHeaders = {},
): Promise<Record<string, string>> {
  const large = { ETag: `"${MD5}"`, 'Content-Length': '100000', 'X-Static-Large-Object': 'True' };
  const url = await swift((call, response) => {
    const { searchParams } = new URL(call.url ?? '', 'http://x');
    if (call.method === 'HEAD') response.writeHead(200, { ...large, ...head }).end();
    else answer(searchParams, response);
    return true;
  });
  return { swift_url: `${url}/v1/A`, location: `${url}/v1/A/backups/b-1.gz` };
}

describe('a restore from a Swift', () => {
  it.each([
    'http://x/v1/A/../o',
    'http://x/v1/A/backups/..',
    'http://trove:canary-8fd1@x/v1/A/c/o',
  ])('with the location %s is refused', async (location) => {
    const { why, log } = await failsToRestore({ location, swift_url: 'http://x/v1/A' });
    expect(why).toContain("the backup's location");
    expect(log + why).not.toContain('canary-8fd1');
  });

  it('whose segments have 1.5 bytes is refused', async () => {
    const info = await holding((query, response) => {
      const name = '/backups/b-1_00000000';
      const part = { name, bytes: 1.5, hash: MD5, content_type: '', last_modified: '' };
      response.end(query.has('multipart-manifest') ? JSON.stringify([part, part]) : '[]');
    });
    expect((await failsToRestore(info)).log).toContain('its list cannot be read');
  });

  it('whose list repeats its page is refused', async () => {
    let lists = 0;
    const info = await holding((query, response) => {
      if (query.has('multipart-manifest')) return void response.end();
      lists += 1;
      response.end(JSON.stringify([{ name: 'b-1_00000000', bytes: 1, hash: MD5 }]));
    });
    expect((await failsToRestore(info)).log).toContain('its list does not go on');
    expect(lists).toBe(2);
  });

  it('with more bytes than there are numbers is refused', async () => {
    const info = await holding((_, response) => void response.end(), {
      'Content-Length': '9'.repeat(17),
    });
    expect((await failsToRestore(info)).why).toContain('no size by Swift that can be true');
  });

  it('that sends a byte from time to time is given up', async () => {
    let reads = 0;
    const isPlain = { 'X-Static-Large-Object': [] };
    const info = await holding((_, response) => {
      reads += 1;
      if (reads > 1) return void response.writeHead(404).end();
      response.writeHead(200, { ETag: `"${MD5}"`, 'Content-Length': '100000' });
      response.write('x');
      const more = setInterval(() => response.write('x'), 900); // of a limit of 1 s
      response.once('close', () => clearInterval(more));
    }, isPlain);
    const { log } = await failsToRestore(info);
    expect(log).toMatch(/only \d+ bytes in 60 s/);
    expect(reads).toBe(2);
  });
});
