import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { isLocked, lockDirectory } from '../../src/host/instance-lock.ts';
import { bundle } from '../helpers/bundle.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

it('is held by one at a time, until it is given back', async () => {
  const directory = await temporaryDirectory();
  const unlock = await lockDirectory(directory);
  await expect(lockDirectory(directory)).rejects.toThrow(
    `another k2hdkc-agent already runs with the state directory ${directory}`,
  );
  await unlock();
  const unlockAgain = await lockDirectory(directory);
  await unlockAgain();
});

it('is a lock of the directory, however its path is written', async () => {
  const directory = await temporaryDirectory();
  const state = path.join(directory, 'state');
  const link = path.join(directory, 'link');
  await mkdir(state);
  await symlink(state, link);
  const unlock = await lockDirectory(state);
  await expect(lockDirectory(`${state}/`)).rejects.toThrow('another k2hdkc-agent');
  await expect(lockDirectory(`${directory}/./state`)).rejects.toThrow('another k2hdkc-agent');
  await expect(lockDirectory(link)).rejects.toThrow('another k2hdkc-agent');
  await unlock();
});

it('tells others whether it is held, and does not mind', async () => {
  const directory = await temporaryDirectory();
  expect(await isLocked(directory)).toBe(false);
  const unlock = await lockDirectory(directory);
  for (let times = 0; times < 3; times++) expect(await isLocked(directory)).toBe(true);
  await unlock();
  expect(await isLocked(directory)).toBe(false);
});

it('does not concern another directory', async () => {
  const unlock = await lockDirectory(await temporaryDirectory());
  const unlockOther = await lockDirectory(await temporaryDirectory());
  await unlock();
  await unlockOther();
});

it('ends with its process, even by SIGKILL', async () => {
  const directory = await temporaryDirectory();
  const program = await bundle('test/host/hold-lock.child.ts', directory);
  const holder = spawn(process.execPath, [program, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  await expect(lockDirectory(directory)).rejects.toThrow('another k2hdkc-agent');

  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const unlock = await lockDirectory(directory);
  await unlock();
});
