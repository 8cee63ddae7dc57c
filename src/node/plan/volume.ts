import type { Observed } from '../observed.ts';
import { act, because, wait, type Step } from './step.ts';

/**
 * The data volume comes before all else: a k2hdkc that starts without it makes an empty data file
 * below the mount point. Null when it is there, or when k2hdkc has its file open anyway.
 */
export function planVolume({ seen, memory }: Observed): Step | null {
  if (seen.volumeMounted || seen.k2hdkc) return null;
  if (memory.volumeRetryInMs <= 0) {
    return act({ do: 'mount-volume' }, 'the data volume is not mounted');
  }
  return wait(`mounting the data volume${because(memory.volumeProblem)}`, memory.volumeRetryInMs);
}
