import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { preflight, type PreflightSubject } from '../../../src/node/programs/preflight.ts';
import type { StartNeeds } from '../../../src/ini/start/needs.ts';
import { processLimit, queueMessageLimit } from '../../../src/host/limits.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';

const ROOT: PreflightSubject = {
  user: 'root',
  uid: 0,
  controlHost: '127.0.0.1',
  inheritsLimits: true,
};
const OTHER: PreflightSubject = { ...ROOT, user: 'k2hdkc', uid: 990 };

async function modest(change: Partial<StartNeeds> = {}): Promise<StartNeeds> {
  const directory = await temporaryDirectory();
  return {
    ports: [],
    queueMessages: 8,
    queueMessagesUnprivileged: 8,
    queueBytes: 1_000,
    openFiles: 64,
    shared: [{ file: path.join(directory, 'a.chmpx'), bytes: 1_000 }],
    data: { file: path.join(directory, 'not/yet/there/b.k2h'), bytes: 1_000 },
    ...change,
  };
}

it('lets a start go on that has all it needs', async () => {
  await preflight(await modest(), ROOT);
  await preflight(await modest(), OTHER);
});

describe('refuses, with the command to run,', () => {
  it('a port that somebody listens on', async () => {
    const script =
      "require('net').createServer().listen(0, function () { console.log(this.address().port) })";
    const holder = spawn(process.execPath, ['-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void holder.kill('SIGKILL'));
    const [line] = (await once(holder.stdout, 'data')) as [Buffer];
    const port = Number(line.toString());
    await expect(preflight(await modest({ ports: [port] }), ROOT)).rejects.toThrow(
      new RegExp(
        `^port ${port} is in use by PID ${String(holder.pid)} \\(.*kill -HUP ${String(holder.pid)}$`,
      ),
    );
  });

  it('but not one on the loopback address of another node', async () => {
    const server = createServer().listen(0, '127.0.0.12');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const needs = await modest({ ports: [(server.address() as AddressInfo).port] });
    await preflight(needs, { ...ROOT, controlHost: '127.0.0.11' });
    await expect(preflight(needs, { ...ROOT, controlHost: '127.0.0.12' })).rejects.toThrow(
      'is in use',
    );
  });

  it.runIf(existsSync('/proc/net/if_inet6'))('the same on an address of IPv6', async () => {
    const server = createServer().listen(0, '::');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    await expect(preflight(await modest({ ports: [port] }), ROOT)).rejects.toThrow(
      `port ${port} is in use by PID ${process.pid}`,
    );
  });

  it('queues that are too long for the kernel', async () => {
    const limit = await queueMessageLimit();
    const needs = await modest({ queueMessages: limit, queueMessagesUnprivileged: limit + 1 });
    await preflight(needs, ROOT); // a chmpx of root does not ask
    await expect(preflight(needs, OTHER)).rejects.toThrow(
      `fs.mqueue.msg_max is ${limit}, chmpx needs ${limit + 1} as user k2hdkc; run: sysctl -w fs.mqueue.msg_max=${limit + 1}`,
    );
    const longer = { ...needs, queueMessages: limit + 1 };
    await expect(preflight(longer, ROOT)).rejects.toThrow('as user root; run: sysctl -w');
  });

  it('limits that its children would inherit', async () => {
    const files = await modest({ openFiles: 2 ** 40 });
    await expect(preflight(files, ROOT)).rejects.toThrow(
      /open files .*prlimit --pid \d+ --nofile=/,
    );
    const queues = await modest({ queueBytes: 2 ** 60 });
    const { hard } = await processLimit('Max msgqueue size');
    if (hard === Infinity) await preflight(queues, OTHER);
    else await expect(preflight(queues, OTHER)).rejects.toThrow(/prlimit --pid \d+ --msgqueue=/);
    const own = { ...OTHER, inheritsLimits: false };
    await preflight({ ...files, ...queues }, own);
    await preflight(files, { ...ROOT, inheritsLimits: false });
  });

  it('a disk that is too small for the new files together', async () => {
    const needs = await modest();
    const huge = { ...needs, shared: needs.shared.map(({ file }) => ({ file, bytes: 2 ** 60 })) };
    await expect(preflight(huge, ROOT)).rejects.toThrow(
      /^\d+ MB are free at \/.*, chmpx and k2hdkc need \d+ MB there .* df \//,
    );
  });
});
