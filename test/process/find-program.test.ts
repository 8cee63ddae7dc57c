import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findProgram, findPrograms } from '../../src/process/find-program.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';

/** Scripts of this name that run with such words until the test is over; the first word is their own. */
async function running(name: string, ...words: string[][]) {
  const command = path.join(await temporaryDirectory(), name);
  await writeFile(command, '#!/bin/sh\nread line\n');
  await chmod(command, 0o755);
  const pids: number[] = [];
  for (const args of words) {
    const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'ignore', 'ignore'] });
    onTestFinished(async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    });
    await once(child, 'spawn');
    pids.push(child.pid ?? 0);
  }
  return { command, pids };
}

it('finds all that run with the marks, and the oldest first', async () => {
  const marks = ['-conf', '/etc/of-this-test.ini'];
  const { command, pids } = await running('prog', [...marks, '-d', 'err'], ['-x', ...marks]);
  await until('both are scripts', () => findPrograms({ command, marks }).length === 2);
  expect(findPrograms({ command, marks }).toSorted((a, b) => a - b)).toEqual(
    pids.toSorted((a, b) => a - b),
  );
  expect(findProgram({ command: '/elsewhere/prog', marks })).toBe(
    findPrograms({ command, marks })[0],
  );
});

it.each([
  ['another program', 'other', ['-conf', '/etc/of-that-test.ini']],
  ['another ini', 'prog', ['-conf', '/etc/another.ini']],
  ['its words apart', 'prog', ['-conf', '-d', '/etc/of-that-test.ini']],
  ['no marks', 'prog', []],
])('does not take %s for it', async (_, name, marks) => {
  const { command } = await running('prog', ['-conf', '/etc/of-that-test.ini']);
  const own = { command, marks: ['-conf', '/etc/of-that-test.ini'] };
  await until('it is a script', () => findProgram(own) !== null);
  expect(findProgram({ command: path.join(path.dirname(command), name), marks })).toBeNull();
});
