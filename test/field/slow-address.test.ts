import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { dialOptions, type DialOptions } from '../../src/host/dial.ts';
import { until } from '../helpers/until.ts';

/** A listener that takes nothing while it is stopped, with room for one connection that waits. */
const LISTENER = `
const server = require('node:net').createServer((socket) => socket.end('here'));
server.listen({ host: '127.0.0.2', port: 0, backlog: 1 }, () => console.log(server.address().port));
`;

const SLOWLY = { limitMs: 60_000, clock: systemClock };

/** The kernel's state of a connection that has no answer yet: /proc/net/tcp. */
const SYN_SENT = '02';
/** 127.0.0.2, as it is written there. */
const SLOW = '0200007F';

/** A host whose first address drops the first SYN, and whose second one refuses. */
async function slowHost() {
  const listener = spawn(process.execPath, ['-e', LISTENER], {
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
    const end = `${SLOW}:${port.toString(16).toUpperCase().padStart(4, '0')} ${state}`;
    return (await readFile('/proc/net/tcp', 'utf8')).split(end).length - 1;
  };
  // The kernel drops a SYN when the room is full.
  for (let sockets = 0; (await waiting(SYN_SENT)) === 0; sockets++) {
    expect(sockets).toBeLessThan(20);
    const socket = net.connect({ host: '127.0.0.2', port }).on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    await until('it is there, or has no answer', async () => {
      const { connecting } = socket;
      return !connecting || (await waiting(SYN_SENT)) > 0;
    });
  }
  const before = await waiting(SYN_SENT);
  return {
    port,
    find: () =>
      Promise.resolve([
        { address: '127.0.0.2', family: 4 },
        { address: '127.0.0.3', family: 4 },
      ]),
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

it('an address whose first SYN is lost is waited for', async () => {
  const { port, find, goOn } = await slowHost();
  const connected = connect(port, await dialOptions('slow.example', { ...SLOWLY, find }));
  await goOn();
  expect(await connected).toBe('here');
});

it('Node.js by itself gives it up, and that is the end of the host', async () => {
  const { port, find } = await slowHost();
  const { lookup } = await dialOptions('slow.example', { ...SLOWLY, find });
  const attempt = connect(port, lookup === undefined ? {} : { lookup });
  await expect(attempt).rejects.toThrow();
});
