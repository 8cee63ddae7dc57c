import http from 'node:http';
import { Duplex } from 'node:stream';
import { BufferBin } from '../buffer-bin.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx';

/**
 * Passes a body on while the memory is freed that its socket is read into: new memory of 64 KiB at
 * each read, from which Node.js copies the body. V8 would let 32 MiB of it pile up.
 */
export async function* withReadsFreed(
  { socket }: http.IncomingMessage,
  body: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void> {
  const bin = new BufferBin();
  const free = (read: Buffer): void => bin.free(read);
  const areCopies = await bodiesAreCopies();
  if (areCopies) socket.on('data', free); // behind Node's own listener, which makes the copy
  try {
    yield* body;
  } finally {
    socket.off('data', free);
  }
}

/** Whether this Node.js copies bodies (20 does), found out with an answer that comes from nowhere. */
export function bodiesAreCopies(): Promise<boolean> {
  const read = Buffer.allocUnsafeSlow(ANSWER.length).fill(ANSWER);
  const connection = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => {
      done();
      connection.push(read);
    },
  });
  return new Promise((resolve) => {
    const request = http.get({ createConnection: () => connection }, (response) => {
      response.once('data', (piece: Buffer) => {
        resolve(piece.buffer !== read.buffer);
        connection.destroy();
      });
    });
    request.on('error', () => resolve(false));
  });
}
