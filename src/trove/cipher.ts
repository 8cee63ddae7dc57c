import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { AgentError, withoutStack } from '../base/errors.ts';

/** A source of `size` random bytes. */
export type RandomBytes = (size: number) => Uint8Array;

/** A text that this instance's key does not decrypt. Whatever the reason, the text is the same. */
export class DecryptionError extends AgentError {
  constructor(cause?: unknown) {
    super('not encrypted with the key of this instance', { cause });
  }
}

const ALGORITHM = 'aes-256-cbc';
/** Bytes of an AES block, and so of the IV that leads every ciphertext. */
const AES_BLOCK_BYTES = 16;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Trove's symmetric cipher between the control plane and one instance: AES-256-CBC with PKCS#7, the
 * IV in front, standard base64 around. It hides but does not authenticate
 * (docs/contracts/trove.md, 2.4 and 2.5).
 */
export class Cipher {
  readonly #key: Buffer;
  readonly #random: RandomBytes;

  /** `instanceKey` is the text of `instance_rpc_encr_key`. */
  constructor(instanceKey: string, random: RandomBytes = randomBytes) {
    // The AES key is the 32 hex digits of the MD5 as ASCII, not the 16 bytes they stand for.
    this.#key = Buffer.from(createHash('md5').update(instanceKey, 'utf8').digest('hex'), 'ascii');
    this.#random = random;
  }

  /** Base64 of IV and ciphertext of the UTF-8 bytes of `plaintext`. */
  encrypt(plaintext: string): string {
    const iv = this.#random(AES_BLOCK_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#key, iv);
    const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, body]).toString('base64');
  }

  /**
   * The plaintext of `text`. Throws DecryptionError for anything that is not a text, not strict
   * base64, not whole blocks, not well padded or not UTF-8; Python hands all of those back as they
   * came (docs/contracts/trove.md, 2.5).
   */
  decrypt(text: unknown): string {
    return withoutStack(() => this.#decrypt(text));
  }

  #decrypt(text: unknown): string {
    if (typeof text !== 'string' || !BASE64.test(text)) throw new DecryptionError();
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length < 2 * AES_BLOCK_BYTES || bytes.length % AES_BLOCK_BYTES !== 0)
      throw new DecryptionError();
    try {
      const decipher = createDecipheriv(ALGORITHM, this.#key, bytes.subarray(0, AES_BLOCK_BYTES));
      const plain = Buffer.concat([
        decipher.update(bytes.subarray(AES_BLOCK_BYTES)),
        decipher.final(),
      ]);
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain);
    } catch (error) {
      throw new DecryptionError(error);
    }
  }

  /** base64 of the encrypted JSON of `value`. */
  encryptJson(value: unknown): string {
    return this.encrypt(JSON.stringify(value));
  }

  /** The JSON value in `text`. Throws DecryptionError, also when the plaintext is not JSON. */
  decryptJson(text: unknown): unknown {
    const plaintext = this.decrypt(text);
    try {
      return JSON.parse(plaintext);
    } catch {
      throw new DecryptionError(); // without its cause: a JSON error quotes what it read
    }
  }
}
