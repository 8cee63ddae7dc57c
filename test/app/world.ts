import type { World } from '../../src/app/world.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Secrets } from '../../src/base/secrets.ts';
import { recordingLog } from '../helpers/recording-log.ts';

/** The world of an agent in a test, and what is logged in it. */
export function recordedWorld(): {
  world: World;
  texts: string[];
  lines: Record<string, unknown>[];
} {
  const { log, texts, lines } = recordingLog();
  return {
    world: { clock: systemClock, random: () => 0.5, secrets: new Secrets(), log },
    texts,
    lines,
  };
}
