/** An answer is longer than it may be. */
export class TooLong extends Error {
  constructor(mostBytes: number) {
    super(`more than ${mostBytes} bytes`);
  }
}

/** All of a body. Throws TooLong, and what the body throws; the connection is ended then. */
export async function wholeBody(body: AsyncIterable<Buffer>, mostBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > mostBytes) throw new TooLong(mostBytes);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
