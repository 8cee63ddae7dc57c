import { sleep, systemClock } from '../../src/base/clock.ts';

/**
 * Resolves with the first value of `probe` that is neither undefined, null nor false. Rejects with
 * what it waited for when `seconds` pass first: a safety net for a state that never comes, which is
 * no statement about how long it takes, and wide enough for a machine with other work to do.
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  { seconds = 60, everyMs = 25 }: { seconds?: number; everyMs?: number } = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const limit = systemClock.monotonic() + seconds * 1000;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false) {
      return value as NonNullable<Exclude<T, false>>;
    }
    if (systemClock.monotonic() > limit) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(systemClock, everyMs);
  }
}
