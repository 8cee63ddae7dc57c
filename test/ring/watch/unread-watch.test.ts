import { expect, it } from 'vitest';
import { UnreadWatch } from '../../../src/ring/watch/unread-watch.ts';
import { systemClock } from '../../../src/base/clock.ts';

/** A watch of a process whose connections are as told, two seconds after one another. */
function watched(): {
  look: (connections: Record<string, number>, pid?: number | null) => Promise<number>;
} {
  let now = 0;
  let runs: number | null = 7;
  let found = new Map<string, number>();
  const watch = new UnreadWatch({
    pid: () => runs ?? undefined,
    bytes: () => Promise.resolve(found),
    clock: { ...systemClock, monotonic: () => now },
  });
  return {
    look: async (connections, pid = 7) => {
      now += 2_000;
      runs = pid;
      found = new Map(Object.entries(connections));
      await watch.look();
      return watch.unreadMs;
    },
  };
}

it('tells for how long a connection has not been read', async () => {
  const { look } = watched();
  expect(await look({})).toBe(0);
  expect(await look({ a: 179 })).toBe(0);
  expect(await look({ a: 179, b: 5 })).toBe(2_000);
  expect(await look({ a: 179, b: 4 })).toBe(4_000);
  expect(await look({ b: 3 })).toBe(0);
});

it('holds more bytes against it, and fewer not', async () => {
  const { look } = watched();
  await look({ a: 26_864 });
  expect(await look({ a: 53_728 })).toBe(2_000);
  expect(await look({ a: 53_727 })).toBe(0);
  expect(await look({ a: 53_727 })).toBe(2_000);
});

it('knows nothing of another process, or of none', async () => {
  const { look } = watched();
  await look({ a: 1 });
  expect(await look({ a: 1 })).toBe(2_000);
  expect(await look({ a: 1 }, 8)).toBe(0);
  expect(await look({ a: 1 }, null)).toBe(0);
});
