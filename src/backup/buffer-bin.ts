import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Smaller buffers may share their memory with others (Buffer.poolSize), and are left alone. */
const LEAST_BYTES = 16 * 1024;

/**
 * Gives the memory of large buffers back at once. V8 frees them when 32 MiB of them have piled up,
 * which is more than a backup may take: the process grew by 46 MiB while it packed 256 MiB, and by 17
 * with this. What is transferred to a closed port is gone.
 */
export class BufferBin {
  readonly #port: MessagePort;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    this.#port = port1;
  }

  /** Nobody may use the buffer any more, or another view of its memory: they are empty then. */
  free({ buffer }: Buffer): void {
    if (buffer instanceof ArrayBuffer && buffer.byteLength >= LEAST_BYTES) {
      this.#port.postMessage(null, [buffer]);
    }
  }

  /** As `free`, for views of one memory that come in their order: it is freed with its last part. */
  freeLast(piece: Buffer): void {
    if (piece.byteOffset + piece.byteLength === piece.buffer.byteLength) this.free(piece);
  }
}
