import type { Observed } from '../observed.ts';
import { act, because, wait, type Step } from './step.ts';

/**
 * The data volume comes before all else: a k2hdkc that starts without it makes an empty data file
 * below the mount point. Null when it is there, or when k2hdkc has its file open anyway.
 */
export function planVolume({ seen: { k2hdkc, volume } }: Observed): Step | null {
  if (volume.mounted || k2hdkc) return null;
  const { problem, retryInMs } = volume;
  if (retryInMs <= 0) {
    return act({ do: 'mount-volume' }, 'the data volume is not mounted');
  }
  return wait(`mounting the data volume${because(problem)}`, retryInMs);
}
