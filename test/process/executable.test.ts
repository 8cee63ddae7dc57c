import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, rename, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { executableOf, isRun } from '../../src/process/executable.ts';
import { commandLine } from '../../src/process/identity.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';

/** A copy of cat, which runs until its input ends. */
async function program(name = 'prog'): Promise<string> {
  const file = path.join(await temporaryDirectory(), name);
  await copyFile('/bin/cat', file);
  return file;
}

/** A process of these words, until the test is over. */
async function running(...words: [string, ...string[]]): Promise<number> {
  const [command, ...args] = words;
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'ignore'] });
  onTestFinished(async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  });
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  await until('it runs', () => commandLine(pid).includes(words.at(-1) ?? ''));
  return pid;
}

it('is found by its path, by a link, and on PATH', async () => {
  const file = await program();
  await symlink(file, `${file}.link`);
  const real = { files: [file], interpreter: null };
  expect(executableOf(file)).toEqual(real);
  expect(executableOf(`${file}.link`)).toEqual(real);
  vi.stubEnv('PATH', `/nowhere:${path.dirname(file)}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(executableOf('prog')).toEqual(real);
  expect(executableOf('other').files).toEqual([
    '/nowhere/other',
    path.join(path.dirname(file), 'other'),
  ]);
});

it.each([
  ['#!/bin/sh -e', '/bin/sh'],
  ['#! /usr/bin/env sh', 'sh'],
])('of a script %s has an interpreter', async (first, interpreter) => {
  const file = path.join(await temporaryDirectory(), 'script');
  await writeFile(file, `${first}\n`);
  expect(executableOf(file).interpreter).toEqual(executableOf(interpreter));
});

it('is run by a process of this very file, whatever that calls itself', async () => {
  const [file, other] = [await program(), await program()];
  const pid = await running(file, '-');
  expect(isRun(pid, executableOf(file))).toBe(true);
  expect(isRun(pid, executableOf(other))).toBe(false);
  const posing = await running('bash', '-c', 'exec -a "$0" cat -', file);
  expect(isRun(posing, executableOf(file))).toBe(false);
});

it('is still run when a package has put another file in its place', async () => {
  const file = await program();
  const pid = await running(file, '-');
  await rename(await program(), file);
  expect(isRun(pid, executableOf(file))).toBe(true);
});

it('of a script is run by its interpreter with this script', async () => {
  const file = path.join(await temporaryDirectory(), 'script');
  await writeFile(file, '#!/bin/sh\nread line\n');
  await chmod(file, 0o755);
  const executable = executableOf(file);
  expect(isRun(await running(file, 'x'), executable)).toBe(true);
  expect(isRun(await running('cat', '-', '-u', file), executable)).toBe(false);
});

it('is not run by a process that is gone', () => {
  expect(isRun(2 ** 22 + 1, executableOf('/bin/cat'))).toBe(false);
});
