import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { commandLine, findProcesses, identify, isAlive } from '../../src/process/identity.ts';
import { until } from '../helpers/until.ts';

async function start(command: string, args: string[]): Promise<ChildProcess & { pid: number }> {
  const child = spawn(command, args, { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  return child as ChildProcess & { pid: number };
}

it('knows a process that lives by PID and start time', async () => {
  const { pid } = await start('sleep', ['1000']);
  const identity = identify(pid, 'boot');
  expect(identity).toMatchObject({ pid, bootId: 'boot' });
  expect(identity?.startTicks).toMatch(/^\d+$/);
  expect(identity && isAlive(identity)).toBe(true);
});

it('does not take a later process with the same PID for it', () => {
  const own = identify(process.pid, 'boot');
  if (!own) throw new Error('this process is not there');
  expect(isAlive({ ...own, startTicks: String(Number(own.startTicks) - 1) })).toBe(false);
});

it('takes a process that ended for dead', async () => {
  const child = await start('sleep', ['1000']);
  const identity = identify(child.pid, 'boot');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(identify(child.pid, 'boot')).toBeNull();
  expect(identity && isAlive(identity)).toBe(false);
});

it('takes a zombie for dead: nobody may be there to reap it', async () => {
  // The shell starts a child and becomes a program that never waits for it.
  const parent = await start('/bin/sh', ['-c', 'sleep 0.05 & exec sleep 1000']);
  const childOf = (): number | undefined =>
    Number(readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8')) || undefined;
  const pid = await until('the child of the shell', childOf, { everyMs: 1 });
  const identity = identify(pid, 'boot');
  expect(identity).not.toBeNull();
  await until('a zombie', () => / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
  expect(identify(pid, 'boot')).toBeNull();
  expect(identity && isAlive(identity)).toBe(false);
});

it('is not misled by a name with spaces and parentheses', async () => {
  const { pid } = await start('/bin/sh', [
    '-c',
    'printf ") Z 1 (x" > /proc/$$/comm; kill -STOP $$',
  ]);
  const stat = (): string => readFileSync(`/proc/${pid}/stat`, 'utf8');
  await until('the name, and the stop', () => stat().includes(') Z 1 (x) T '));
  expect(identify(pid, 'boot')).not.toBeNull();
});

it('says nothing about a PID that is not in use', () => {
  expect(identify(2 ** 30, 'boot')).toBeNull();
  expect(commandLine(2 ** 30)).toEqual([]);
});

it('finds processes by their command line, empty words included', async () => {
  const word = `marked-${process.pid}-${Date.now()}`;
  const { pid } = await start('/bin/sh', ['-c', 'kill -STOP $$', word, '', 'two words']);
  expect(commandLine(pid)).toEqual(['/bin/sh', '-c', 'kill -STOP $$', word, '', 'two words']);
  expect(findProcesses((argv) => argv.includes(word))).toEqual([pid]);
});
