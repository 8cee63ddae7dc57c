import { sleep, systemClock } from '../../src/base/clock.ts';

/** How long a value may take, and how often it is looked for. */
interface Patience {
  seconds?: number;
  everyMs?: number;
}

/**
 * Resolves with the first value of `probe` that is neither undefined, null nor false. Rejects with
 * what it waited for when `seconds` pass first: a safety net for a state that never comes, which is
 * no statement about how long it takes, and wide enough for a machine with other work to do.
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  { seconds = 60, everyMs = 25 }: Patience = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const value = await comes(probe, { seconds, everyMs });
  if (value === null) throw new Error(`not within ${seconds} s: ${what}`);
  return value;
}

/** As `until`, but null when the value does not come in time. */
export async function comes<T>(
  probe: () => T | Promise<T>,
  { seconds, everyMs }: Required<Patience>,
): Promise<NonNullable<Exclude<T, false>> | null> {
  const limit = systemClock.monotonic() + seconds * 1000;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false) {
      return value as NonNullable<Exclude<T, false>>;
    }
    if (systemClock.monotonic() > limit) return null;
    await sleep(systemClock, everyMs);
  }
}
