import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { spawn } from 'node:child_process';
import { expect, it, onTestFinished } from 'vitest';
import { unreadBytes } from '../../src/host/unread-bytes.ts';
import { until } from '../helpers/until.ts';

/** Connects, and reads only when it is told to. */
const READER = `
const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1');
socket.pause();
process.stdin.once('data', () => socket.resume());
`;

it('counts what a process has not read from its connections, until it has', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const reader = spawn(process.execPath, ['-e', READER, String(port)], { stdio: 'pipe' });
  const { pid = 0 } = reader;
  const [socket] = (await once(server, 'connection')) as [Socket];
  onTestFinished(() => {
    reader.kill('SIGKILL');
    socket.destroy();
    server.close();
  });
  const waiting = async (): Promise<number[]> => [...(await unreadBytes(pid)).values()];
  expect(await waiting()).toEqual([]);

  socket.write(Buffer.alloc(1_000));
  await until('1000 bytes wait', async () => (await waiting())[0] === 1_000);
  expect(await waiting()).toEqual([1_000]);
  expect(await unreadBytes(process.pid)).toEqual(new Map());

  reader.stdin.write('read');
  await until('all is read', async () => (await waiting()).length === 0);
});

it('finds nothing in a process that is gone', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  expect(await unreadBytes(child.pid ?? 0)).toEqual(new Map());
});
