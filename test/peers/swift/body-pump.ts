import type { Readable, Writable } from 'node:stream';
import { sleep, systemClock } from '../../../src/base/clock.ts';
import type { BodyFault, Way } from './faults.ts';

/** How a body's way ended: `cut` and `stalled` are for the door to make true. */
export type PumpEnd = 'ended' | 'cut' | 'stalled';

/** A body on its way through the door. */
export interface Passage {
  from: Readable;
  to: Writable;
  way: Way;
  fault: BodyFault | undefined;
  /** Told of each piece that came in. */
  count: (bytes: number) => void;
}

/** Slow bodies pass in pieces of this part of a second. */
const SLOW_PIECES = 20;

/**
 * Passes a body on, no faster than it is taken, and lets its fault happen. Does not end `to`.
 * Rejects when either side breaks off by itself.
 */
export async function pump({ from, to, way, fault, count }: Passage): Promise<PumpEnd> {
  const limit = fault && 'afterBytes' in fault && fault.way === way ? fault.afterBytes : Infinity;
  const pieces = from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  let passed = 0;
  for await (const chunk of pieces) {
    count(chunk.length);
    const wanted = flipped(chunk, passed, way, fault).subarray(0, limit - passed);
    if (fault?.kind === 'slow') await writeSlowly(to, wanted, fault.bytesPerSecond);
    else if (wanted.length > 0) await write(to, wanted);
    passed += chunk.length;
    if (passed >= limit) break;
  }
  if (limit === Infinity) return 'ended';
  return fault?.kind === 'cut' ? 'cut' : 'stalled';
}

function flipped(chunk: Buffer, at: number, way: Way, fault: BodyFault | undefined): Buffer {
  if (fault?.kind !== 'flip' || way !== 'response') return chunk;
  const index = fault.atByte - at;
  const byte = chunk[index];
  if (byte === undefined) return chunk;
  const copy = Buffer.from(chunk);
  copy[index] = byte ^ 1;
  return copy;
}

async function writeSlowly(to: Writable, bytes: Buffer, bytesPerSecond: number): Promise<void> {
  const size = Math.max(1, Math.floor(bytesPerSecond / SLOW_PIECES));
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    await sleep(systemClock, (piece.length / bytesPerSecond) * 1000);
    await write(to, piece);
  }
}

/** Resolves when the bytes are with the kernel. */
function write(to: Writable, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    to.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
