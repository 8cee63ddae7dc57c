import { createDecipheriv, pbkdf2 } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import { AgentError } from '../../base/errors.ts';

const derive = promisify(pbkdf2);

/** What `openssl enc -salt` writes first. */
const MAGIC = 'Salted__';
/** MAGIC and eight bytes of salt. */
export const SALT_HEADER_BYTES = 16;
const ITERATIONS = 10_000;

/**
 * What opens an object from before Victoria, whose first bytes are `header`: AES-256-CBC with key
 * and IV from PBKDF2, as `openssl enc -md sha512 -pbkdf2 -iter 10000` makes them
 * (docs/contracts/swift.md, 5). It takes the bytes that follow the header.
 *
 * @throws AgentError when the key is missing or the object was not made so.
 */
export async function openSslDecipher(key: string | null, header: Buffer): Promise<Duplex> {
  if (key === null) {
    throw new AgentError(
      'Decryption key not configured for encrypted backup: set backup_aes_cbc_key in trove-guestagent.conf',
    );
  }
  if (header.length < SALT_HEADER_BYTES || header.toString('latin1', 0, 8) !== MAGIC) {
    throw new AgentError('the object ends with .enc but is not encrypted as Trove does');
  }
  const secret = await derive(key, header.subarray(8, SALT_HEADER_BYTES), ITERATIONS, 48, 'sha512');
  return createDecipheriv('aes-256-cbc', secret.subarray(0, 32), secret.subarray(32));
}
