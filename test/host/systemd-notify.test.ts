import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { SystemdNotify } from '../../src/host/systemd-notify.ts';
import { recordingLog, silentLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';

/** What systemd does: it receives, and closes what came with it. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(4096).decode().split('\\n')[0], flush=True)
`;

it('says that it is ready and that it is not stuck, until it is told to end', async () => {
  const socket = path.join(await temporaryDirectory(), 'notify');
  const receiver = spawn('/usr/bin/python3', ['-c', RECEIVER, socket], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void receiver.kill('SIGKILL'));
  await once(receiver, 'spawn');
  await until('the socket', () => existsSync(socket));
  const heard: string[] = [];
  createInterface({ input: receiver.stdout }).on('line', (line) => heard.push(line));

  const environment = { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '30000' };
  const ending = new AbortController();
  const running = new SystemdNotify(environment, systemClock, silentLog).ready(ending.signal);
  const states = (): string[] => heard.filter((line) => !line.startsWith('BARRIER'));
  await until('it is said again', () => states().length >= 3);
  ending.abort();
  await running;
  expect(states().slice(0, 3)).toEqual(['READY=1', 'WATCHDOG=1', 'WATCHDOG=1']);
});

it('says nothing to nobody', async () => {
  const { log, texts } = recordingLog();
  await new SystemdNotify({}, systemClock, log).ready(new AbortController().signal);
  expect(texts).toEqual([]);
});

it('goes on when systemd cannot be told', async () => {
  const { log, texts } = recordingLog();
  const environment = { ...process.env, NOTIFY_SOCKET: '/nonexistent/notify' };
  await new SystemdNotify(environment, systemClock, log).ready(new AbortController().signal);
  expect(texts).toEqual(['systemd cannot be told']);
});
