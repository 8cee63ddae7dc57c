import { expect, it } from 'vitest';
import { tlsProblem } from '../../../src/backup/swift/tls-problem.ts';

const failure = (code: string, text = 'it failed'): Error =>
  Object.assign(new Error(text), { code });

it.each([
  ['SELF_SIGNED_CERT_IN_CHAIN', 'backup.ca_file'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'backup.ca_file'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'backup.ca_file'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'backup.ca_file'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'backup.ca_file'],
  ['CERT_HAS_EXPIRED', 'renew it'],
  ['CERT_NOT_YET_VALID', 'set the clock'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'for another host'],
])('says what to do about %s', (code, words) => {
  expect(tlsProblem(failure(code))).toContain(words);
});

it('knows a port that does not speak TLS from another failure of the protocol', () => {
  expect(tlsProblem(failure('EPROTO', 'SSL routines: wrong version number'))).toContain('http:');
  expect(tlsProblem(failure('EPROTO', 'handshake failure'))).toBeNull();
});

it('says nothing of what is not of TLS', () => {
  for (const other of [failure('ECONNREFUSED'), new Error('x'), 'x', null]) {
    expect(tlsProblem(other)).toBeNull();
  }
});
