import { sleep, type Clock } from '../../base/clock.ts';
import type { RingSight } from '../../ring/sight.ts';

/** How long chmpx gets to notice that its k2hdkc is gone (measured: 0.1 s). */
const SUSPEND_LIMIT_MS = 2_000;

/**
 * Resolves when chmpx has noticed that its k2hdkc is gone, or soon anyway. HUP before chmpx shows
 * Suspend makes it crash and leave its shared memory (chmpx 1.0.113).
 */
export async function untilSuspended({
  sight,
  pollMs,
  clock,
}: {
  sight: Pick<RingSight, 'look'>;
  pollMs: number;
  clock: Clock;
}): Promise<void> {
  const limit = clock.monotonic() + SUSPEND_LIMIT_MS;
  while (clock.monotonic() < limit) {
    const status = await sight.look();
    if (status === null || status.self.suspended) return;
    await sleep(clock, pollMs);
  }
}
