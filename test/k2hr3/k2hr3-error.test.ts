import { describe, expect, it } from 'vitest';
import { K2hr3Error, kindOfStatus, refusal, withoutSecrets } from '../../src/k2hr3/k2hr3-error.ts';

const TOKEN = '0123456789abcdef'.repeat(4);

describe('K2hr3Error', () => {
  it('can be tried again unless the request itself is wrong', () => {
    expect(new K2hr3Error('unauthorized', 'x')).toMatchObject({
      kind: 'unauthorized',
      retryable: true,
    });
    expect(new K2hr3Error('rejected', 'x').retryable).toBe(false);
    expect(new K2hr3Error('rejected', 'x', { retryable: true }).retryable).toBe(true);
  });

  it.each([
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [500, 'server-error'],
    [503, 'server-error'],
    [400, 'rejected'],
    [302, 'invalid-answer'],
    [200, 'invalid-answer'],
  ])('takes status %i for %s', (status, kind) => {
    expect(kindOfStatus(status)).toBe(kind);
  });
});

describe('refusal', () => {
  const origin = 'http://10.0.0.5:18080';

  it('says who, what, which status and why', () => {
    const body = '{"result":false,"message":"PUT request has no role"}';
    expect(refusal('did not register a', { origin, status: 400, body }).message).toBe(
      'K2HR3 at http://10.0.0.5:18080 did not register a: status 400, PUT request has no role',
    );
    expect(refusal('did not', { origin, status: 403, body: '' }).message).toBe(
      'K2HR3 at http://10.0.0.5:18080 did not: status 403',
    );
    expect(refusal('did not', { origin, status: 502, body: '<html>' }).message).toBe(
      'K2HR3 at http://10.0.0.5:18080 did not: status 502, and an answer that is not JSON',
    );
  });

  it.each([
    ['https://k2hr3.example/secret', 'https://k2hr3.example: use that address'],
    ['/login', 'another path of this address: it is not that of the API of K2HR3'],
  ])('says where a redirect to %s leads, without its path', (location, where) => {
    const answer = { origin, status: 302, body: '<html>', headers: { location } };
    expect(refusal('did not', answer).message).toBe(
      `K2HR3 at http://10.0.0.5:18080 did not: status 302, which redirects to ${where}`,
    );
  });

  it('leaves the token out that K2HR3 echoes', () => {
    const body = JSON.stringify({
      message: `token(${TOKEN}) is not existed, because it is expired`,
    });
    const { message } = refusal('does not give it', { origin, status: 401, body });
    expect(message).toBe(
      'K2HR3 at http://10.0.0.5:18080 does not give it: status 401, token([secret]) is not existed, because it is expired',
    );
  });
});

describe('withoutSecrets', () => {
  it('takes out tokens and register paths, line breaks and excess', () => {
    expect(withoutSecrets(`a ${TOKEN}\r\n\u0007 b`)).toBe('a [secret] b');
    expect(withoutSecrets(`/trove/${'Ab%2F'.repeat(20)}%3D`)).toBe('[secret]');
    expect(withoutSecrets('x '.repeat(500))).toHaveLength(200);
  });

  it('leaves what a person needs', () => {
    const text =
      'role(mycluster/server) in tenant(tenant0) and 00000001-aaaa-4bbb-8ccc-000000000001';
    expect(withoutSecrets(text)).toBe(text);
  });
});
