import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { Asked, endOf } from './child-end.ts';

describe('the end of a child', () => {
  it('is how it ended, also for whoever asks afterwards', async () => {
    const child = spawn('/bin/sh', ['-c', 'exit 3'], { stdio: 'ignore' });
    expect(await endOf(child)).toEqual({ code: 3, signal: null });
    expect(await endOf(child)).toEqual({ code: 3, signal: null });
    const killed = spawn('sleep', ['1000'], { stdio: 'ignore' });
    killed.kill('SIGKILL');
    expect(await endOf(killed)).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('of one that could not be started is that error', async () => {
    await expect(endOf(spawn('/nonexistent'))).rejects.toThrow('ENOENT');
  });
});

describe('what is asked of a child', () => {
  const stopped = (): Promise<void> => Promise.resolve();

  it('is answered, or fails', async () => {
    const asked = new Asked();
    expect(await asked.promise((resolve) => resolve(1))).toBe(1);
    const refused = asked.promise((_, reject) => reject(new Error('refused')));
    await expect(refused).rejects.toThrow('refused');
    await expect(asked.stop(stopped)).resolves.toBeUndefined();
  });

  it('is rejected when the child ends, and so is its stop, once', async () => {
    const asked = new Asked();
    const before = asked.promise(() => undefined);
    asked.end(new Error('gone'));
    await expect(before).rejects.toThrow('gone');
    await expect(asked.promise(() => undefined)).rejects.toThrow('gone');
    await expect(asked.stop(stopped)).rejects.toThrow('gone');
    await expect(asked.stop(stopped)).resolves.toBeUndefined();
  });

  it('is rejected when the child is stopped, which itself is in order', async () => {
    const asked = new Asked();
    const never = asked.promise(() => undefined);
    await asked.stop(() => {
      asked.end(new Error('stopped'));
      return Promise.resolve();
    });
    await expect(never).rejects.toThrow('stopped');
  });
});
