import type { BufferBin } from '../buffer-bin.ts';
import type { Packer } from './packer.ts';
import type { TarImage } from './tar-image.ts';

/** How the tar becomes members. */
export interface Packing {
  image: Pick<TarImage, 'bytes' | 'read'>;
  packer: Packer;
  bin: BufferBin;
  /** Bytes of the tar in each member: 512 KiB lose less than 1 % against one long gzip. */
  memberBytes: number;
  /** So many members are made at the same time. */
  lanes: number;
}

/**
 * The packed members of the tar from byte `from` on, which is where one begins; in order, made a few
 * ahead of whoever takes them. A member's memory is freed when the next one is asked for.
 */
export async function* packedMembers(packing: Packing, from: number): AsyncGenerator<Buffer, void> {
  const { image, packer, bin, memberBytes, lanes } = packing;
  const idle: Buffer[] = [];
  const ahead: Promise<Buffer>[] = [];
  let offset = from;

  const make = async (at: number): Promise<Buffer> => {
    const space = idle.pop() ?? Buffer.allocUnsafeSlow(memberBytes);
    const bytes = space.subarray(0, Math.min(memberBytes, image.bytes - at));
    await image.read(bytes, at);
    const member = await packer.pack(bytes);
    idle.push(space);
    return member;
  };
  const fill = (): void => {
    for (; ahead.length < lanes && offset < image.bytes; offset += memberBytes) {
      const member = make(offset);
      member.catch(() => undefined); // whoever takes it hears of it
      ahead.push(member);
    }
  };

  try {
    for (;;) {
      fill();
      const next = ahead.shift();
      if (!next) return;
      const member = await next;
      fill();
      yield member;
      bin.free(member);
    }
  } finally {
    // Nothing reads the snapshot any more when this is over.
    await Promise.allSettled(ahead);
  }
}
