const LINE_END = 0x0a;

/** A line with its end; `bytes` is null when it is longer than what is kept. */
export interface SplitLine {
  bytes: Buffer | null;
  length: number;
}

/** Splits a stream at its line ends. What follows the last one is not given out. Holds at most `most` bytes. */
export async function* splitLines(
  blocks: AsyncIterable<Buffer>,
  most: number,
): AsyncGenerator<SplitLine, void> {
  let held: Buffer[] = [];
  let length = 0;
  for await (const block of blocks) {
    let from = 0;
    for (let end = block.indexOf(LINE_END); end >= 0; end = block.indexOf(LINE_END, from)) {
      const rest = block.subarray(from, end + 1);
      length += rest.length;
      yield { bytes: length > most ? null : Buffer.concat([...held, rest]), length };
      held = [];
      length = 0;
      from = end + 1;
    }
    length += block.length - from;
    if (length > most) held = [];
    else if (from < block.length) held.push(Buffer.from(block.subarray(from)));
  }
}
