import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { listenersOn } from '../../src/host/listeners.ts';

/** Listens until the test is over, on a port that is free when none is given. */
async function listen(host: string, port = 0): Promise<number> {
  const server = createServer();
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  server.listen(port, host);
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

it('names who listens on the ports that are asked for, and on no other', async () => {
  const [first, second] = [await listen('127.0.0.1'), await listen('127.0.0.1')];
  await listen('127.0.0.1');
  const found = await listenersOn([first, second]);
  expect(found.toSorted((a, b) => a.port - b.port)).toEqual(
    [first, second].toSorted((a, b) => a - b).map((port) => ({ port, pid: process.pid })),
  );
  expect(await listenersOn([])).toEqual([]);
});

it('does not count a port that only a connection uses', async () => {
  const socket = connect(await listen('127.0.0.1'), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  expect(await listenersOn([socket.localPort ?? 0])).toEqual([]);
});

it('does not count other loopback addresses than its own', async () => {
  const port = await listen('127.0.0.23');
  expect(await listenersOn([port])).toEqual([]);
  expect(await listenersOn([port], '127.0.0.24')).toEqual([]);
  expect(await listenersOn([port], '127.0.0.23')).toEqual([{ port, pid: process.pid }]);
});

it('takes an IPv4 address that is written as one of IPv6 for what it is', async () => {
  const port = await listen('::ffff:127.0.0.23');
  expect(await listenersOn([port])).toEqual([]);
  expect(await listenersOn([port], '127.0.0.23')).toEqual([{ port, pid: process.pid }]);
  const own = await listen('::ffff:127.0.0.1');
  expect(await listenersOn([own])).toEqual([{ port: own, pid: process.pid }]);
});

it('counts all addresses, whatever its own is', async () => {
  const port = await listen('0.0.0.0');
  expect(await listenersOn([port], '127.0.0.24')).toEqual([{ port, pid: process.pid }]);
});
