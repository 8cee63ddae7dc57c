import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { AgentError, codeOf, messageOf } from '../base/errors.ts';
import { openSslDecipher, SALT_HEADER_BYTES } from './openssl-decrypt.ts';

/** Bytes that gunzip gives at once; with 256 KiB the agent grows by 46 MiB, with 64 by 24. */
const CHUNK_BYTES = 64 * 1024;

/** How the object of a backup is packed. */
export interface Packing {
  encrypted: boolean;
  /** `backup_aes_cbc_key`. */
  decryptionKey: string | null;
}

/**
 * The tar inside an object: gzip of gzip of tar, as upstream makes it, or gzip of tar; encrypted in
 * old releases (backup contract, sections 4 and 5).
 *
 * @throws AgentError `decrypt`, `gzip`; what the source throws.
 */
export async function* unpack(
  source: AsyncIterable<Buffer>,
  { encrypted, decryptionKey }: Packing,
): AsyncGenerator<Buffer, void> {
  const packed = encrypted ? decrypted(source, decryptionKey) : source;
  const wrongKey = encrypted ? ', or backup_aes_cbc_key is not the key it was made with' : '';
  yield* gunzipped(gunzipped(packed, `it is not gzip${wrongKey}`), null);
}

async function* decrypted(
  source: AsyncIterable<Buffer>,
  key: string | null,
): AsyncGenerator<Buffer> {
  yield* withHead(source, SALT_HEADER_BYTES, async function* (head, rest) {
    const decipher = await openSslDecipher(key, head);
    yield* through(rest, decipher, (error) =>
      codeOf(error)?.startsWith('ERR_OSSL') === true
        ? new AgentError('decrypt', 'it cannot be decrypted with backup_aes_cbc_key')
        : null,
    );
  });
}

/** Unpacks what is gzip; anything else is passed on, or refused with `refusal`. */
async function* gunzipped(
  source: AsyncIterable<Buffer>,
  refusal: string | null,
): AsyncGenerator<Buffer> {
  yield* withHead(source, 2, async function* (head, rest) {
    const isGzip = head[0] === 0x1f && head[1] === 0x8b;
    if (!isGzip && refusal !== null) throw new AgentError('gzip', refusal);
    const all = prepended(head, rest);
    if (!isGzip) yield* all;
    else {
      yield* through(all, createGunzip({ chunkSize: CHUNK_BYTES }), (error) =>
        codeOf(error)?.startsWith('Z_') === true
          ? new AgentError('gzip', `its gzip is damaged: ${messageOf(error)}`)
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
  tell: (error: unknown) => Error | null,
): AsyncGenerator<Buffer> {
  const piped = pipeline(Readable.from(source), step);
  piped.catch(() => undefined); // whoever reads the step gets it too
  try {
    yield* step as AsyncIterable<Buffer>;
    await piped;
  } catch (error) {
    throw tell(error) ?? error;
  }
}
