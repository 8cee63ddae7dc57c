import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { rescope } from '../../src/backup/swift/keystone.ts';
import { SwiftClient } from '../../src/backup/swift/swift-client.ts';
import { systemClock } from '../../src/base/clock.ts';
import { messageOf } from '../../src/base/errors.ts';
import { dialOptions, type Address, type DialOptions } from '../../src/host/dial.ts';
import { fetchRoleAccess } from '../../src/k2hr3/extdata.ts';
import { makeOsloGuest } from '../helpers/oslo-guest.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { until } from '../helpers/until.ts';

/** What the name of the slow host means. */
const names = vi.hoisted(() => ({ found: [] as Address[] }));
vi.mock('node:dns/promises', () => ({ lookup: () => Promise.resolve(names.found) }));

/** Which address is tried first: it drops the first SYN. The other one refuses. */
interface Order {
  slow: Address;
  other: Address;
  /** How the kernel lists the slow one, and where. */
  listed: string;
  file: string;
}

const ORDERS: Record<string, Order> = {
  'an A record first': {
    slow: { address: '127.0.0.2', family: 4 },
    other: { address: '::1', family: 6 },
    listed: '0200007F',
    file: '/proc/net/tcp',
  },
  'an AAAA record first': {
    slow: { address: '::1', family: 6 },
    other: { address: '127.0.0.3', family: 4 },
    listed: '00000000000000000000000001000000',
    file: '/proc/net/tcp6',
  },
};

/** A listener that takes nothing while it is stopped, with room for one connection that waits. */
const LISTENER = `
const server = require('node:net').createServer((socket) => {
  socket.on('error', () => undefined);
  socket.end('HTTP/1.1 418 here\\r\\nContent-Length: 0\\r\\n\\r\\n');
});
const host = process.argv[1];
server.listen({ host, port: 0, backlog: 1 }, () => console.log(server.address().port));
`;

const SLOWLY = { limitMs: 60_000, clock: systemClock };

/** The kernel's state of a connection that has no answer yet: /proc/net/tcp. */
const SYN_SENT = '02';
/** A host whose first address drops the first SYN, and whose second one refuses. */
async function slowHost({ slow, other, listed, file }: Order) {
  names.found = [slow, other];
  const listener = spawn(process.execPath, ['-e', LISTENER, slow.address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    const ended = once(listener, 'exit');
    listener.kill('SIGKILL');
    await ended;
  });
  const [line] = (await once(listener.stdout, 'data')) as [Buffer];
  const port = Number(line);
  listener.kill('SIGSTOP');
  const waiting = async (state: string): Promise<number> => {
    const end = `${listed}:${port.toString(16).toUpperCase().padStart(4, '0')} ${state}`;
    return (await readFile(file, 'utf8')).split(end).length - 1;
  };
  // The kernel drops a SYN when the room is full.
  for (let sockets = 0; (await waiting(SYN_SENT)) === 0; sockets++) {
    expect(sockets).toBeLessThan(20);
    const socket = net.connect({ host: slow.address, port }).on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    await until('it is there, or has no answer', async () => {
      const { connecting } = socket;
      return !connecting || (await waiting(SYN_SENT)) > 0;
    });
  }
  const before = await waiting(SYN_SENT);
  return {
    port,
    url: `http://slow.example:${port}`,
    /** Goes on when a SYN of another connection was dropped. */
    goOn: async () => {
      await until('its SYN was dropped', async () => (await waiting(SYN_SENT)) > before);
      listener.kill('SIGCONT');
    },
  };
}

async function connect(port: number, options: DialOptions): Promise<string> {
  const socket = net.connect({ ...options, host: 'slow.example', port });
  onTestFinished(() => void socket.destroy());
  const [first] = (await once(socket, 'data')) as [Buffer];
  return String(first);
}

/** Each asks the server at this URL once, and says what it answered. */
const ASKING: [string, (url: string) => Promise<string>][] = [
  [
    'K2HR3',
    (url) =>
      fetchRoleAccess({ clock: systemClock, connectTimeoutMs: 60_000 }, `${url}/v1/extdata/x`).then(
        String,
        messageOf,
      ),
  ],
  [
    'Keystone',
    (url) => {
      const caller = { token: 't', projectId: 'p' };
      const transport = { ca: undefined, clock: systemClock };
      return rescope(`${url}/v3`, caller, transport).then(String, messageOf);
    },
  ],
  [
    'Swift',
    async (url) => {
      const storageUrl = `${url}/v1/AUTH_x`;
      const client = new SwiftClient({ storageUrl, token: 't', clock: systemClock });
      return client
        .list('c', 'x')
        .then(String, messageOf)
        .finally(() => client.close());
    },
  ],
  [
    'the broker',
    async (url) => {
      const { log, lines } = recordingLog('info');
      const session = makeOsloGuest({
        topic: 'guestagent.g1',
        server: 'g1',
        config: `[DEFAULT]\ntransport_url = ${url.replace('http:', 'rabbit:')}\n`,
        dispatcher: { dispatch: () => Promise.resolve(null) },
        log,
      });
      onTestFinished(() => session.stop());
      session.start();
      await until('it has tried', () => lines.length > 0);
      return JSON.stringify(lines);
    },
  ],
];

describe.each(Object.entries(ORDERS))('a name with %s', (_, order) => {
  beforeEach(() => {
    names.found = [];
  });

  it.each(ASKING)('whose first SYN is lost is waited for: %s', async (_peer, ask) => {
    const { url, goOn } = await slowHost(order);
    const answer = ask(url);
    await goOn();
    expect(await answer).toMatch(/status 418|: 418|speaks HTTP/);
  });

  it('Node.js by itself gives the address up, and that is the end of the host', async () => {
    const { port } = await slowHost(order);
    const { lookup } = await dialOptions('slow.example', SLOWLY);
    const attempt = connect(port, lookup === undefined ? {} : { lookup });
    await expect(attempt).rejects.toThrow();
  });
});
