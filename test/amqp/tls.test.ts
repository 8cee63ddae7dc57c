import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTls, type TlsOptions } from '../../src/amqp/tls.ts';
import { ConfigurationError } from '../../src/base/errors.ts';
import { CertificateAuthority, type Certificate } from '../helpers/certificates.ts';

let directory: string;
let caFile: string;
let one: Certificate;
let two: Certificate;
let nonsense: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-tls-'));
  const ca = await CertificateAuthority.make(directory);
  caFile = ca.caFile;
  one = await ca.issue('one', { name: 'DNS:one' });
  two = await ca.issue('two', { name: 'DNS:two' });
  nonsense = path.join(directory, 'nonsense.pem');
  await writeFile(nonsense, 'no PEM');
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('readTls', () => {
  it('verifies the chain when there is a CA, and the host when it is told to', async () => {
    const chain = await readTls({ caFile, verifyHost: false });
    expect(chain.rejectUnauthorized).toBe(true); // whatever the environment says
    expect(chain.ca).toBeDefined();
    expect(chain.checkServerIdentity?.('any', {} as never)).toBeUndefined();
    expect((await readTls({ caFile, verifyHost: true })).checkServerIdentity).toBeUndefined();
  });

  it('verifies nothing without a CA', async () => {
    expect((await readTls({ verifyHost: true })).rejectUnauthorized).toBe(false);
  });

  it('looks for the key in the certificate file when no other is named', async () => {
    const both = path.join(directory, 'both.pem');
    const parts = [await readFile(one.certFile), await readFile(one.keyFile)];
    await writeFile(both, Buffer.concat(parts));
    const read = await readTls({ certFile: both, verifyHost: false });
    expect(read.key).toEqual(read.cert);
  });

  it('allows one version only when one is given', async () => {
    const read = await readTls({ onlyVersion: 'TLSv1.2', verifyHost: false });
    expect(read).toMatchObject({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
  });

  it.each<[string, () => Partial<TlsOptions>, RegExp]>([
    [
      'a CA file that is missing',
      () => ({ caFile: '/none.pem' }),
      /^ssl_ca_file \/none.pem: does not exist$/,
    ],
    [
      'a CA file without a certificate',
      () => ({ caFile: nonsense }),
      /^ssl_ca_file .*holds no certificate/,
    ],
    [
      'a certificate file without one',
      () => ({ certFile: nonsense }),
      /^ssl_cert_file .*no certificate/,
    ],
    [
      'the key of another certificate',
      () => ({ certFile: one.certFile, keyFile: two.keyFile }),
      /^ssl_key_file .*two.key: is not the key of the certificate .*one.pem/,
    ],
    [
      'a key file without a key',
      () => ({ certFile: one.certFile, keyFile: nonsense }),
      /^ssl_key_file .*nonsense.pem: holds no private key/,
    ],
  ])('names option and file of %s', async (_what, options, message) => {
    const error: unknown = await readTls({ verifyHost: false, ...options() }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as Error).message).toMatch(message);
  });
});
