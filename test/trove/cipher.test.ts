import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Cipher, DecryptionError } from '../../src/trove/cipher.ts';
import { CAPTURE_KEY, readFixture } from './fixtures.ts';

interface Vector {
  key: string;
  iv_hex: string;
  plaintext_json: string;
  ciphertext_b64: string;
  value: unknown;
}
const { vectors } = readFixture('crypto_vectors.json') as { vectors: Vector[] };

describe('the vectors of the real Trove', () => {
  it('are all there', () => {
    expect(vectors).toHaveLength(88);
  });

  it.each(
    vectors.map((vector) => [vector.key.slice(0, 6), vector.plaintext_json.slice(0, 40), vector]),
  )('key %s…, %s', (_key, _text, vector) => {
    const { key, iv_hex, plaintext_json, ciphertext_b64, value } = vector;
    const cipher = new Cipher(key, () => Buffer.from(iv_hex, 'hex'));
    expect(cipher.encrypt(plaintext_json)).toBe(ciphertext_b64);
    expect(cipher.decrypt(ciphertext_b64)).toBe(plaintext_json);
    expect(cipher.decryptJson(ciphertext_b64)).toEqual(value);
  });
});

describe('encrypt', () => {
  it('takes a new IV each time', () => {
    const cipher = new Cipher(CAPTURE_KEY);
    expect(cipher.encrypt('true')).not.toBe(cipher.encrypt('true'));
  });

  it('keeps characters outside of ASCII', () => {
    const cipher = new Cipher(CAPTURE_KEY);
    expect(cipher.decryptJson(cipher.encryptJson('café 日本 😀'))).toBe('café 日本 😀');
  });
});

describe('decrypt refuses', () => {
  const cipher = new Cipher(CAPTURE_KEY);
  const good = cipher.encrypt('true');

  // The inputs of crypto_decrypt_edge_cases.json, all of which Python accepts or crashes on.
  it.each([
    ['null', null],
    ['true', true],
    ['a number', 5],
    ['an object', { a: 1 }],
    ['a list', [1]],
    ['a plain text', 'hello'],
    ['an empty text', ''],
    ['three bytes', 'QUJD'],
    ['an IV alone', Buffer.alloc(16).toString('base64')],
    ['a broken block', Buffer.alloc(17).toString('base64')],
    ['two random blocks', Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64')],
    ['base64 with a newline', `${good.slice(0, 20)}\n${good.slice(20)}`],
    ['base64 without its padding', good.replace(/=+$/, '')],
    ['base64 for URLs', good.replaceAll(/[+/]/g, '_').replace(/^./, '-')],
  ])('%s', (_name, text) => {
    expect(() => cipher.decrypt(text)).toThrow(DecryptionError);
  });

  it('a text of another key', () => {
    const other = new Cipher('another key', () => Buffer.alloc(16, 7));
    expect(() => cipher.decryptJson(other.encryptJson({ a: 1 }))).toThrow(DecryptionError);
  });

  it('what is not UTF-8', () => {
    const key = '1803a4cd3eebb1d125028db31a0ad281'; // of CAPTURE_KEY, from crypto_vectors.json
    const iv = Buffer.alloc(16, 1);
    const raw = createCipheriv('aes-256-cbc', Buffer.from(key, 'ascii'), iv);
    const bytes = Buffer.concat([iv, raw.update(Buffer.from([0x22, 0xff, 0x22])), raw.final()]);
    expect(() => cipher.decrypt(bytes.toString('base64'))).toThrow(DecryptionError);
  });

  it('what is not JSON, without quoting it', () => {
    const text = cipher.encrypt('secret words');
    expect(() => cipher.decryptJson(text)).toThrow(DecryptionError);
    expect(() => cipher.decryptJson(text)).not.toThrow('secret');
  });
});
