import { PLACE_KEYS } from './data-keys.ts';
import type { ClusterModel } from '../model/model.ts';
import { isOwnChoice } from './own-globals.ts';
import { sectionsOf } from '../text/sections.ts';
import { differingKeys, startKeyName, startKeys, type StartKeys } from './start-keys.ts';

/** What has to start again for the new ini to count: both programs, out of the ring and back in. */
export interface Roll {
  /** The keys that ask for it. */
  keys: string[];
  /** The data will not be there any more: what other servers do not take over stays behind. */
  leavesData: boolean;
}

const PLACES = PLACE_KEYS.map((key) => startKeyName('K2HDKC', key));
const MODE_KEY = startKeyName('GLOBAL', 'MODE');
const TYPE_KEY = startKeyName('K2HDKC', 'K2HTYPE');

/**
 * What a new ini asks of programs that run. Null: all of it is taken over as it comes, but for what is
 * the agent's own choice, which waits for their next start.
 *
 * @param started what they were started with; null when chmpx does not run: they will read it all.
 */
export function rollFor(model: ClusterModel, started: StartKeys | null): Roll | null {
  if (started === null) return null;
  const next = startKeys(sectionsOf(model));
  // The agent sets nothing of a slave. Data in memory ends with its k2hdkc; a slave has none.
  const isSlave = started[MODE_KEY] === 'SLAVE';
  const isOwn = (key: string): boolean => !isSlave && isOwnChoice(key, next[key]);
  const keys = differingKeys(started, next).filter((key) => !isOwn(key));
  if (keys.length === 0) return null;
  const inMemory = !isSlave && started[TYPE_KEY] !== 'file';
  return { keys, leavesData: inMemory || PLACES.some((key) => keys.includes(key)) };
}

/** What the programs are to read of this model while the data is still where `started` says. */
export function unmoved(model: ClusterModel, started: StartKeys): StartKeys {
  const place = Object.entries(started).filter(([key]) => PLACES.includes(key));
  return { ...startKeys(sectionsOf(model)), ...Object.fromEntries(place) };
}
