import { describe, expect, it } from 'vitest';
import { DuplicateGuard } from '../../src/oslo/duplicate-guard.ts';

describe('DuplicateGuard', () => {
  it('remembers the last 1024 requests', () => {
    const guard = new DuplicateGuard();
    for (let i = 0; i < 1025; i++) guard.remember(String(i));
    expect(guard.earlier('0')).toBeUndefined();
    expect(guard.earlier('1')).toBeDefined();
    expect(guard.earlier('1024')).toBeDefined();
  });

  it('tells when the outcome of an earlier delivery is safe', async () => {
    const guard = new DuplicateGuard();
    const markSafe = guard.remember('a');
    let safe = false;
    const waiting = guard.earlier('a')?.then(() => (safe = true));
    await Promise.resolve();
    expect(safe).toBe(false);
    markSafe();
    await waiting;
    expect(safe).toBe(true);
  });
});
