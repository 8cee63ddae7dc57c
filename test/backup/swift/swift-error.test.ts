import { describe, expect, it } from 'vitest';
import { notTrusted, refused, unanswered } from '../../../src/backup/swift/swift-error.ts';

const CALL = 'Swift at https://swift.example: PUT backups/b-1.gz';

describe('the error for an answer', () => {
  it.each([
    [
      401,
      false,
      `${CALL}: 401 (the token has expired or is not valid: ask again, with a fresh one)`,
    ],
    [404, false, `${CALL}: 404 (there is no such object or container)`],
    [418, false, `${CALL}: 418`],
    [422, true, `${CALL}: 422 (it arrived damaged)`],
    [429, true, `${CALL}: 429`],
    [503, true, `${CALL}: 503 (unavailable, or its disks are full)`],
  ])('%i can pass: %s', (status, retryable, message) => {
    expect(refused(CALL, status)).toMatchObject({ name: 'SwiftError', status, retryable, message });
  });

  it('has what Swift says in place of the hint, and its id of the request', () => {
    expect(refused(CALL, 413, { request: 'tx-1', text: 'Upload exceeds quota.' }).message).toBe(
      `${CALL}: 413 (Upload exceeds quota.), request tx-1`,
    );
    expect(refused(CALL, 413, { request: 'tx-1', text: '' }).message).toBe(
      `${CALL}: 413 (it is over the largest size or the quota of the account or container), request tx-1`,
    );
  });
});

it('a certificate that is not trusted stays so; a call without an answer can be tried again', () => {
  expect(notTrusted(CALL, 'its certificate has expired')).toMatchObject({
    message: `${CALL}: its certificate has expired`,
    status: null,
    retryable: false,
  });
  const cause = new Error('ECONNRESET');
  expect(unanswered(CALL, 'the connection is gone', cause)).toMatchObject({
    message: `${CALL}: the connection is gone`,
    status: null,
    retryable: true,
    cause,
  });
});
