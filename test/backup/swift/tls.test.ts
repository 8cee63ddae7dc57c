import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SwiftClient } from '../../../src/backup/swift/swift-client.ts';
import { rescope } from '../../../src/backup/swift/keystone.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { CertificateAuthority, type Certificate } from '../../helpers/certificates.ts';
import { tlsFront } from '../../helpers/tls-front.ts';
import { KeystoneStandIn } from '../../simulators/keystone/stand-in.ts';
import { startMemorySwift } from './memory-swift.ts';

let directory: string;
let ca: string;
let certificates: Record<'good' | 'expired' | 'elsewhere' | 'strange', Certificate>;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-tls-'));
  const authority = await CertificateAuthority.make(directory);
  const strangeAuthority = await CertificateAuthority.make(directory, 'strange-ca');
  const name = 'IP:127.0.0.1';
  certificates = {
    good: await authority.issue('good', { name }),
    expired: await authority.issue('expired', { name, days: -1 }),
    elsewhere: await authority.issue('elsewhere', { name: 'DNS:swift.example' }),
    strange: await strangeAuthority.issue('strange', { name }),
  };
  ca = await readFile(authority.caFile, 'utf8');
});

afterAll(() => rm(directory, { recursive: true }));

type Trust = { ca?: string; insecure?: boolean };

/** Makes a container in a Swift that shows this certificate. */
async function call(shown: Certificate, trust: Trust): Promise<void> {
  const swift = await startMemorySwift();
  const { port } = await tlsFront(Number(new URL(swift.storageUrl).port), shown);
  const storageUrl = `https://127.0.0.1:${port}/v1/AUTH_test`;
  const client = new SwiftClient({ storageUrl, token: swift.token, clock: systemClock, ...trust });
  try {
    await client.createContainer('c');
  } finally {
    client.close();
  }
  expect([...swift.containers]).toEqual(['c']);
}

const REFUSALS: [string, keyof typeof certificates, RegExp][] = [
  ['has expired', 'expired', /its certificate has expired: renew it/],
  ['is for another host', 'elsewhere', /its certificate is for another host: use a name/],
  ['is of a CA that is not known', 'strange', /a CA that is not known here: .*backup\.ca_file/],
];

describe('Swift over TLS', () => {
  it('is trusted when its CA is named', () => call(certificates.good, { ca }));

  it('is not trusted by default, when its CA is its own', async () => {
    await expect(call(certificates.good, {})).rejects.toThrow(/not known here/);
  });

  it.each(REFUSALS)('whose certificate %s is refused in one line', async (_, which, why) => {
    const refusal = call(certificates[which], { ca });
    await expect(refusal).rejects.toThrow(why);
    // There is no use in trying again for 90 s.
    await expect(refusal).rejects.toMatchObject({ name: 'SwiftError', retryable: false });
    await expect(refusal).rejects.toThrow(/^Swift at https:[^\n]*$/);
  });

  it.each(REFUSALS)('whose certificate %s will do with swift_api_insecure', (_, which) =>
    call(certificates[which], { insecure: true }),
  );

  it('that is none says so', async () => {
    const { storageUrl, token } = await startMemorySwift();
    const url = storageUrl.replace('http:', 'https:');
    const client = new SwiftClient({ storageUrl: url, token, clock: systemClock });
    await expect(client.head('c', 'o')).rejects.toThrow(/does not speak TLS on this port/);
  });
});

describe('Keystone over TLS', () => {
  /** Exchanges a token at a Keystone that shows this certificate. */
  async function exchange(shown: Certificate): Promise<string> {
    const project = { id: 'p', swiftUrl: 'https://s/v1/A', token: () => Promise.resolve('of p') };
    const keystone = await KeystoneStandIn.start([project]);
    onTestFinished(() => keystone.close());
    const { port } = await tlsFront(Number(new URL(keystone.authUrl).port), shown);
    const caller = { token: keystone.userToken(), projectId: 'p' };
    const at = `https://127.0.0.1:${port}/v3`;
    return (await rescope(at, caller, { ca, clock: systemClock })).token;
  }

  it.each(REFUSALS)('whose certificate %s is refused in one line', async (_, which, why) => {
    await expect(exchange(certificates[which])).rejects.toThrow(why);
  });

  it('is trusted when its CA is named', async () => {
    expect(await exchange(certificates.good)).toBe('of p');
  });
});
