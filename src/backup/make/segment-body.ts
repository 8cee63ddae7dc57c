import { createHash } from 'node:crypto';
import { packedMembers, type Packing } from './members.ts';

/**
 * The bytes of one segment: whole members from byte `from` of the tar on, as many as fit. It is made
 * while it is sent; made again it has the same bytes, because the snapshot does not change.
 */
export class SegmentBody implements AsyncIterable<Uint8Array> {
  readonly #packing: Packing;
  readonly #from: number;
  readonly #limit: number;
  readonly #hash = createHash('md5');
  /** How long it became. */
  bytes = 0;
  /** Where in the tar the next segment begins. */
  next: number;

  /** @param limit the segment is not longer than this, in bytes */
  constructor(packing: Packing, from: number, limit: number) {
    this.#packing = packing;
    this.#from = from;
    this.#limit = limit;
    this.next = from;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    const { image, memberBytes } = this.#packing;
    for await (const member of packedMembers(this.#packing, this.#from)) {
      if (this.bytes > 0 && this.bytes + member.length > this.#limit) return;
      this.#hash.update(member);
      this.bytes += member.length;
      this.next = Math.min(this.next + memberBytes, image.bytes);
      yield member;
    }
  }

  /** To be asked once, when all of it was sent: the MD5 in hex, as Swift's ETag. */
  md5(): string {
    return this.#hash.digest('hex');
  }
}
