import * as threads from 'node:worker_threads';

/** Freeing less than this is not worth its time. Node.js 20 has small buffers share 8 KiB. */
const LEAST_BYTES = 16 * 1024;

/** Whether small buffers share this memory: 64 KiB from Node.js 24 on. Node.js 20 does not say. */
const { isMarkedAsUntransferable: isPool = () => false } = threads as {
  isMarkedAsUntransferable?: (memory: ArrayBuffer) => boolean;
};

/**
 * Gives the memory of large buffers back at once. V8 frees them when 32 MiB of them have piled up,
 * which is more than a backup may take: the process grew by 46 MiB while it packed 256 MiB, and by 17
 * with this. What is transferred to a closed port is gone.
 */
export class BufferBin {
  readonly #port: threads.MessagePort;

  constructor() {
    const { port1, port2 } = new threads.MessageChannel();
    port2.close();
    this.#port = port1;
  }

  /** Nobody may use the buffer any more, or another view of its memory: they are empty then. */
  free({ buffer }: Buffer): void {
    if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < LEAST_BYTES) return;
    if (!isPool(buffer)) this.#port.postMessage(null, [buffer]);
  }

  /** As `free`, for views of one memory that come in their order: it is freed with its last part. */
  freeLast(piece: Buffer): void {
    if (piece.byteOffset + piece.byteLength === piece.buffer.byteLength) this.free(piece);
  }
}
