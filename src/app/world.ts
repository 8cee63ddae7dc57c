import type { Random } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';

/** What the whole process has one of. */
export interface World {
  clock: Clock;
  random: Random;
  secrets: Secrets;
  log: Logger;
}
