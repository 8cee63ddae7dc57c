import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { cpuMs } from '../../src/process/proc-stat.ts';
import { until } from '../helpers/until.ts';

it('tells the CPU time of a process that works', async () => {
  const child = spawn('/bin/sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const { pid = 0 } = child;
  await until('50 ms of work', () => cpuMs(pid) >= 50);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(cpuMs(pid)).toBe(0);
});

it('tells that of a process that waits: next to nothing', async () => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  expect(cpuMs(child.pid ?? 0)).toBeLessThan(50);
});
