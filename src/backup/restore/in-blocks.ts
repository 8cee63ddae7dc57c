import type { BufferBin } from '../buffer-bin.ts';

/** Handing something to another thread costs about 50 µs, be it 64 KiB or this. */
export const HAND_OVER_BYTES = 512 * 1024;

/**
 * A download in large blocks, of which one is filled while the one before is worked on. The memory of
 * the source's pieces is freed; that of a block is used again when the next one has been taken.
 */
export async function* inBlocks(
  source: AsyncIterable<Buffer>,
  bin: BufferBin,
): AsyncGenerator<Buffer, void> {
  const blocks = filled(source, bin);
  const ask = (): ReturnType<typeof blocks.next> => {
    const next = blocks.next();
    next.catch(() => undefined); // whoever takes it hears of it
    return next;
  };
  let ahead = ask();
  try {
    for (;;) {
      const block = await ahead;
      if (block.done) return;
      ahead = ask();
      yield block.value;
    }
  } finally {
    void blocks.return();
  }
}

async function* filled(
  source: AsyncIterable<Buffer>,
  bin: BufferBin,
): AsyncGenerator<Buffer, void> {
  const space = (): Buffer => Buffer.allocUnsafeSlow(HAND_OVER_BYTES);
  let [block, other] = [space(), space()];
  let used = 0;
  for await (const piece of source) {
    for (let at = 0; at < piece.length;) {
      const copied = piece.copy(block, used, at);
      at += copied;
      used += copied;
      if (used < HAND_OVER_BYTES) continue;
      yield block;
      [block, other, used] = [other, block, 0];
    }
    bin.freeLast(piece);
  }
  if (used > 0) yield block.subarray(0, used);
}
