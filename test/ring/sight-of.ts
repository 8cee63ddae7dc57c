import type { Random } from '../../src/base/backoff.ts';
import type { Clock } from '../../src/base/clock.ts';
import type { Logger } from '../../src/base/log.ts';
import { RingSight, type RingSightOptions } from '../../src/ring/sight.ts';
import type { RingStatus } from '../../src/ring/status.ts';
import { silentLog } from '../helpers/recording-log.ts';

/** Of a node that never hangs. */
export const WELL: RingSightOptions['ownMerge'] = {
  look: () => undefined,
  forget: () => undefined,
  hangs: false,
  hung: false,
};

/** The sight of a ring whose status a test says. */
export function sightOf(
  read: () => Promise<RingStatus | null>,
  clock: Clock,
  {
    ownMerge = WELL,
    random = () => 0,
    log = silentLog,
  }: { ownMerge?: RingSightOptions['ownMerge']; random?: Random; log?: Logger } = {},
): RingSight {
  return new RingSight({ reader: { read, problem: () => null }, ownMerge, clock, random, log });
}
