import { closeSync, existsSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

/** How a k2h file is laid out; it counts only when the file is made. */
export interface Geometry {
  maskBit: number;
  collisionMaskBit: number;
  maxElements: number;
  fullMap: boolean;
}

/** What a k2h file of the stand-ins begins with. */
const MARK = 'K2H STAND-IN\n';
/** Where its records begin; see `k2h-records.ts`. */
export const FIRST_RECORD = 4096;

/**
 * Opens a k2h file, or makes it, sparse and about as big as a real one: 292 MB with the geometry
 * of the usual template. Throws when the directory is missing or the file is something else.
 */
export function openK2h(file: string, geometry: Geometry): void {
  if (existsSync(file)) {
    const handle = openSync(file, 'r+');
    const head = Buffer.alloc(MARK.length);
    readSync(handle, head, 0, head.length, 0);
    closeSync(handle);
    if (head.toString('latin1') !== MARK) throw new Error(`${file} is not a k2hash file`);
    return;
  }
  const { maskBit, collisionMaskBit, maxElements, fullMap } = geometry;
  const elements = 2 ** (maskBit + collisionMaskBit) * maxElements;
  const handle = openSync(file, 'wx', 0o644);
  writeSync(handle, MARK);
  ftruncateSync(handle, Math.max(135_168, Math.round(elements * (fullMap ? 142.53 : 46.97))));
  closeSync(handle);
}
