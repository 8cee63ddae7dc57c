import path from 'node:path';
import type { Volume } from '../host/mount-volume.ts';

/** The folders, absolute and normalised, in which a data file may be. */
export interface DataFolders {
  all: readonly string[];
  /** Those of them that are given to the user of the programs whoever has made them. */
  own: readonly string[];
}

/** The same with the volume that prepare has mounted, which Trove may have named otherwise. */
export function withVolume({ all, own }: DataFolders, volume: Volume | null): DataFolders {
  const folder = volume === null ? undefined : path.resolve(volume.mountPoint);
  if (folder === undefined || own.includes(folder)) return { all, own };
  return { all: [...all, folder], own: [...own, folder] };
}
