import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { buffer } from 'node:stream/consumers';
import { openSslDecipher } from '../../../src/backup/restore/openssl-decrypt.ts';

const KEY = 'the key';
const ENCRYPTED = execFileSync(
  'openssl',
  ['enc', '-aes-256-cbc', '-salt', '-md', 'sha512', '-pbkdf2', '-iter', '10000', '-k', KEY],
  { input: 'the data of then' },
);
const [HEADER, REST] = [ENCRYPTED.subarray(0, 16), ENCRYPTED.subarray(16)];

it('opens what openssl has encrypted as Trove did', async () => {
  const decipher = await openSslDecipher(KEY, HEADER);
  decipher.end(REST);
  expect((await buffer(decipher)).toString()).toBe('the data of then');
});

it('does not open it with another key', async () => {
  const decipher = await openSslDecipher('another key', HEADER);
  decipher.end(REST);
  const opened = await buffer(decipher).then(String, () => 'refused');
  expect(opened).not.toBe('the data of then');
});

it('says when there is no key', async () => {
  await expect(openSslDecipher(null, HEADER)).rejects.toThrow('set backup_aes_cbc_key');
});

it.each([
  ['too short', HEADER.subarray(0, 15)],
  ['of something else', Buffer.from('Salted?_12345678')],
])('refuses a header that is %s', async (_, header) => {
  await expect(openSslDecipher(KEY, header)).rejects.toThrow('is not encrypted as Trove does');
});
