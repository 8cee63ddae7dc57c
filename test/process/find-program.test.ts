import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, readlink, rename, symlink, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { controlGroup } from '../../src/process/control-group.ts';
import { findProgram, findPrograms } from '../../src/process/find-program.ts';
import { commandLine } from '../../src/process/identity.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';

/** NOBODY, a user who is never ours. */
const NOBODY = 65_534;

/** A process with this executable, user and command line until the test is over. */
async function disguised(executable: string, argv0: string, args: string[], uid?: number) {
  const child = spawn(executable, args, {
    argv0,
    stdio: ['pipe', 'ignore', 'ignore'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  await once(child, 'spawn');
  return child.pid ?? 0;
}

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
  expect(findProgram({ command, marks }, () => false)).toBe(findPrograms({ command, marks })[0]);
  expect(findPrograms({ command: '/elsewhere/prog', marks })).toEqual([]);
});

it.each([
  ['another program', 'other', ['-conf', '/etc/of-that-test.ini']],
  ['another ini', 'prog', ['-conf', '/etc/another.ini']],
  ['its words apart', 'prog', ['-conf', '-d', '/etc/of-that-test.ini']],
  ['no marks', 'prog', []],
])('does not take %s for it', async (_, name, marks) => {
  const { command } = await running('prog', ['-conf', '/etc/of-that-test.ini']);
  const own = { command, marks: ['-conf', '/etc/of-that-test.ini'] };
  await until('it is a script', () => findPrograms(own).length === 1);
  expect(findPrograms({ command: path.join(path.dirname(command), name), marks })).toEqual([]);
});

/** A compiled program of this name, which reads its standard input, and the words that are its marks. */
async function compiled() {
  const directory = await temporaryDirectory();
  await chmod(directory, 0o755);
  const command = path.join(directory, 'prog');
  await copyFile('/bin/cat', command);
  await chmod(command, 0o755);
  const marks = ['-', path.join(directory, 'of-this-test.ini')];
  return { command, marks, directory };
}

it('goes by the executable, which may have been replaced since', async () => {
  const { command, marks, directory } = await compiled();
  const pid = await disguised(command, 'prog', marks);
  await until('it runs', () => commandLine(pid).length === 3);
  expect(findPrograms({ command, marks })).toEqual([pid]);
  await rename(command, path.join(directory, 'prog.old'));
  expect(findPrograms({ command, marks })).toEqual([]); // its executable has another name now
  await rename(path.join(directory, 'prog.old'), command);
  await unlink(command);
  expect(findPrograms({ command, marks })).toEqual([pid]);
});

it('finds what a link leads to, by its path and on PATH', async () => {
  const { command, marks, directory } = await compiled();
  const real = path.join(directory, 'prog-1.2');
  await rename(command, real);
  await symlink('prog-1.2', command);
  const pid = await disguised(command, command, marks);
  const direct = await disguised(real, real, marks);
  const other = await disguised('/bin/cat', 'cat', marks);
  await until('they run', () => [pid, direct, other].every((one) => commandLine(one).length === 3));
  const both = [pid, direct].toSorted((a, b) => a - b);
  const found = (name: string): number[] =>
    findPrograms({ command: name, marks }).toSorted((a, b) => a - b);
  expect(found(command)).toEqual(both);
  vi.stubEnv('PATH', `/nowhere:${directory}:/usr/bin`);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(found('prog')).toEqual(both);
});

it('does not take what only calls itself so for it', async () => {
  const { command, marks } = await compiled();
  const pid = await disguised('/bin/cat', 'prog', marks);
  await until('it runs', () => commandLine(pid)[0] === 'prog');
  expect(findPrograms({ command, marks })).toEqual([]);
});

it('does not take a tool that has the program for an argument for it', async () => {
  const { command, marks } = await compiled();
  const pid = await disguised('/usr/bin/tail', 'tail', ['-f', command, ...marks]);
  const like = await disguised('/bin/cat', 'cat', [command, ...marks]);
  await until('both run', () => commandLine(pid).length > 3 && commandLine(like).length > 3);
  expect(findPrograms({ command, marks })).toEqual([]);
});

it.skipIf(process.getuid?.() !== 0)(
  'does not take that of another user for it, unless it is started as that user',
  async () => {
    const { command, marks } = await compiled();
    const pid = await disguised(command, 'prog', marks, NOBODY);
    await until('it runs', () => commandLine(pid).length === 3);
    expect(findPrograms({ command, marks })).toEqual([]);
    expect(findPrograms({ command, marks, uid: NOBODY })).toEqual([pid]);
  },
);

it('does not take another file of that name for it', async () => {
  const { command, marks } = await compiled();
  const other = (await compiled()).command;
  const pid = await disguised(other, command, marks);
  await until('it runs', () => commandLine(pid).length === 3);
  expect(findPrograms({ command, marks })).toEqual([]);
  await unlink(other);
  expect(findPrograms({ command, marks })).toEqual([]);
});

it('goes by script and interpreter when the program is a script', async () => {
  const directory = await temporaryDirectory();
  const command = path.join(directory, 'prog');
  const marks = ['-', path.join(directory, 'of-this-test.ini')];
  await writeFile(command, '#!/bin/sh -e\nread line\n');
  await chmod(command, 0o755);
  const real = await disguised(command, 'x', marks);
  const posing = await disguised('/bin/cat', 'sh', ['-u', command, ...marks]);
  await until('both run', () => [real, posing].every((pid) => commandLine(pid).length === 5));
  expect(findPrograms({ command, marks })).toEqual([real]);
});

describe.skipIf(process.getuid?.() !== 0)('a process of the user of the programs', () => {
  it('is taken for ours in a group of ours only', async () => {
    const { command, marks } = await compiled();
    const pid = await disguised(command, 'prog', marks, NOBODY);
    await until('it runs', () => commandLine(pid).length === 3);
    const signs = { command, marks, uid: NOBODY };
    const group = controlGroup('self');
    expect(findProgram(signs, (one) => one === group)).toBe(pid);
    expect(findProgram(signs, () => false)).toBeNull();
    expect(findPrograms(signs)).toEqual([pid]); // who looks for strays hears of it
  });

  it('is not taken for ours by a path that it has in mounts of its own', async () => {
    const { command, marks, directory } = await compiled();
    const hidden = `mount -t tmpfs none ${directory} && cp /bin/cat ${command} && exec ${command} ${marks.join(' ')}`;
    const pid = await disguised('/usr/bin/unshare', 'unshare', ['-m', 'sh', '-c', hidden]);
    await until('it runs', () => commandLine(pid)[0] === command);
    expect(await readlink(`/proc/${pid}/exe`)).toBe(command);
    expect(findPrograms({ command, marks })).toEqual([]);
    await unlink(`/proc/${pid}/root${command}`);
    await until('its file is gone', async () =>
      (await readlink(`/proc/${pid}/exe`)).endsWith(' (deleted)'),
    );
    expect(findPrograms({ command, marks })).toEqual([]);
  });
});
