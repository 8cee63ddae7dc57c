import { expect, it } from 'vitest';
import { tlsProblem } from '../../src/http/tls-problem.ts';

const failure = (code: string, text = 'it failed'): Error =>
  Object.assign(new Error(text), { code });

it.each([
  ['SELF_SIGNED_CERT_IN_CHAIN', 'in backup.ca_file of agent.yaml'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'in backup.ca_file of agent.yaml'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'in backup.ca_file of agent.yaml'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'in backup.ca_file of agent.yaml'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'in backup.ca_file of agent.yaml'],
  ['CERT_HAS_EXPIRED', 'renew it'],
  ['CERT_NOT_YET_VALID', 'set the clock'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'for another host'],
])('says what to do about %s', (code, words) => {
  expect(tlsProblem(failure(code), 'backup.ca_file')).toContain(words);
});

it('knows a port that does not speak TLS from another failure of the protocol', () => {
  expect(
    tlsProblem(failure('EPROTO', 'SSL routines: wrong version number'), 'backup.ca_file'),
  ).toContain('http:');
  expect(tlsProblem(failure('EPROTO', 'handshake failure'), 'backup.ca_file')).toBeNull();
});

it('says nothing of what is not of TLS', () => {
  for (const other of [failure('ECONNREFUSED'), new Error('x'), 'x', null]) {
    expect(tlsProblem(other, 'backup.ca_file')).toBeNull();
  }
});
