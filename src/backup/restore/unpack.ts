import type { Duplex } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { AgentError, asError, codeOf, messageOf } from '../../base/errors.ts';
import { BufferBin } from '../buffer-bin.ts';
import { HAND_OVER_BYTES, inBlocks } from './in-blocks.ts';
import { openSslDecipher, SALT_HEADER_BYTES } from './openssl-decrypt.ts';

/** How the object of a backup is packed. */
export interface Packing {
  encrypted: boolean;
  /** `backup_aes_cbc_key`. */
  decryptionKey: string | null;
}

/** What becomes of a piece that has been used. */
type Used = (piece: Buffer) => void;

const keep: Used = () => undefined;

const NOT_GZIP = 'it is not gzip';
const WRONG_KEY = ', or backup_aes_cbc_key is not the key it was made with';

/**
 * The tar inside an object: gzip of gzip of tar, as upstream makes it, or gzip of tar; encrypted in
 * old releases (docs/contracts/swift.md, 4 and 5). The memory of the source's pieces is freed.
 *
 * @throws AgentError when it cannot be decrypted or its gzip is damaged; what the source throws.
 */
export async function* unpack(
  source: AsyncIterable<Buffer>,
  { encrypted, decryptionKey }: Packing,
): AsyncGenerator<Buffer, void> {
  const bin = new BufferBin();
  const free: Used = (piece) => bin.freeLast(piece);
  const blocks = inBlocks(source, bin);
  const outer = encrypted
    ? gunzipped(decrypted(blocks, decryptionKey), free, `${NOT_GZIP}${WRONG_KEY}`)
    : gunzipped(blocks, keep, NOT_GZIP);
  yield* gunzipped(outer, free, null);
}

async function* decrypted(
  source: AsyncIterable<Buffer>,
  key: string | null,
): AsyncGenerator<Buffer> {
  yield* withHead(source, SALT_HEADER_BYTES, async function* (head, rest) {
    const decipher = await openSslDecipher(key, head);
    yield* through(rest, decipher, keep, (error) =>
      codeOf(error)?.startsWith('ERR_OSSL') === true
        ? new AgentError('it cannot be decrypted with backup_aes_cbc_key')
        : null,
    );
  });
}

/** Unpacks what is gzip; anything else is passed on, or refused with `refusal`. */
async function* gunzipped(
  source: AsyncIterable<Buffer>,
  used: Used,
  refusal: string | null,
): AsyncGenerator<Buffer> {
  yield* withHead(source, 2, async function* (head, rest) {
    const isGzip = head[0] === 0x1f && head[1] === 0x8b;
    if (!isGzip && refusal !== null) throw new AgentError(refusal);
    const all = prepended(head, rest);
    if (!isGzip) yield* all;
    else {
      yield* through(all, createGunzip({ chunkSize: HAND_OVER_BYTES }), used, (error) =>
        codeOf(error)?.startsWith('Z_') === true
          ? new AgentError(`its gzip is damaged: ${messageOf(error)}`)
          : null,
      );
    }
  });
}

/** Hands the first bytes and the iterator of the rest to `use`; the source ends with it. */
async function* withHead(
  source: AsyncIterable<Buffer>,
  bytes: number,
  use: (head: Buffer, rest: AsyncIterable<Buffer>) => AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    let seen = Buffer.alloc(0);
    while (seen.length < bytes) {
      const next = await iterator.next();
      if (next.done === true) break;
      seen = Buffer.concat([seen, next.value]);
    }
    const rest: AsyncIterable<Buffer> = { [Symbol.asyncIterator]: () => iterator };
    yield* use(seen.subarray(0, bytes), prepended(seen.subarray(bytes), rest));
  } finally {
    await iterator.return?.();
  }
}

async function* prepended(
  first: Buffer,
  rest: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void> {
  if (first.length > 0) yield first;
  yield* rest;
}

/** What comes out of `step`; its own failures are told as `tell` does. */
async function* through(
  source: AsyncIterable<Buffer>,
  step: Duplex,
  used: Used,
  tell: (error: unknown) => Error | null,
): AsyncGenerator<Buffer> {
  void feed(source, step, used);
  try {
    yield* step as AsyncIterable<Buffer>;
  } catch (error) {
    throw tell(error) ?? error;
  } finally {
    step.destroy();
  }
}

/** Ends when the step does; what the source throws becomes the step's error. */
async function feed(source: AsyncIterable<Buffer>, step: Duplex, used: Used): Promise<void> {
  try {
    for await (const piece of source) {
      await written(step, piece);
      if (step.destroyed) return;
      used(piece);
    }
    step.end();
  } catch (error) {
    step.destroy(asError(error));
  }
}

/** Resolves when the step has used the piece, or will never do so. */
function written(step: Duplex, piece: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      step.off('close', done);
      resolve();
    };
    step.once('close', done);
    step.write(piece, done);
  });
}
