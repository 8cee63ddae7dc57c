import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openAgentState } from '../../src/app/agent-state.ts';
import { isLocked, lockDirectory } from '../../src/host/instance-lock.ts';
import { bundle } from '../helpers/bundle.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const run = promisify(execFile);
const asRoot = it.skipIf(process.getuid?.() !== 0);

/** Another agent's lock, in a process that is started by these words. */
async function heldBy(words: string[], directory: string) {
  const program = await bundle('test/host/hold-lock.child.ts', directory);
  const all = [...words, process.execPath, program, directory];
  const [command, ...args] = all as [string, ...string[]];
  const holder = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    if (holder.exitCode !== null || holder.signalCode !== null) return;
    const ended = once(holder, 'exit');
    holder.kill('SIGKILL');
    await ended;
  });
  await once(holder.stdout, 'data');
  return holder;
}

asRoot('is seen from another network namespace', async () => {
  const directory = await temporaryDirectory();
  await heldBy(['unshare', '--net'], directory);
  expect(await isLocked(directory)).toBe(true);
  await expect(lockDirectory(directory)).rejects.toThrow('another k2hdkc-agent already runs');
});

asRoot('cannot be taken by another user', async () => {
  const directory = path.join(await temporaryDirectory(), 'state');
  const { unlock } = await openAgentState(directory);
  await unlock();
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
  const attempt = run('setpriv', [...nobody, 'flock', '--nonblock', directory, 'true']);
  await expect(attempt).rejects.toThrow('Permission denied');
  const { unlock: unlockAgain } = await openAgentState(directory);
  await unlockAgain();
});

it('is not held by a child that outlives the agent', async () => {
  const directory = await temporaryDirectory();
  const state = path.join(directory, 'state');
  await mkdir(state, { mode: 0o700 });
  const unlock = await lockDirectory(state);
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' }); // as chmpx: started while it is held
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  await once(child, 'spawn');
  await unlock();
  expect(await isLocked(state)).toBe(false);
});

it('is free when its holder was killed, while somebody asks all the time', async () => {
  const directory = await temporaryDirectory();
  const holder = await heldBy([], directory);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const questions = Array.from({ length: 5 }, () => isLocked(directory));
  const unlock = await lockDirectory(directory);
  await Promise.all(questions);
  expect(await isLocked(directory)).toBe(true);
  await unlock();
});

it('a missing tool is one line that says what to install', async () => {
  const directory = await temporaryDirectory();
  vi.stubEnv('PATH', await temporaryDirectory());
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(lockDirectory(directory)).rejects.toThrow(
    /flock cannot be started .*install util-linux/,
  );
});
