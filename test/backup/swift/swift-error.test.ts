import { describe, expect, it } from 'vitest';
import {
  notTrusted,
  refused,
  unanswered,
  unreadable,
} from '../../../src/backup/swift/swift-error.ts';

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

  it('has the hint, what Swift says, and its id of the request', () => {
    expect(refused(CALL, 413, { request: 'tx-1', text: 'Upload exceeds quota.' }).message).toBe(
      `${CALL}: 413 (it is over the largest size or the quota of the account or container; it says: Upload exceeds quota.), request tx-1`,
    );
    expect(refused(CALL, 413, { request: 'tx-1', text: '' }).message).toBe(
      `${CALL}: 413 (it is over the largest size or the quota of the account or container), request tx-1`,
    );
    expect(refused(CALL, 400, { text: 'EntityTooLarge' }).message).toBe(
      `${CALL}: 400 (EntityTooLarge)`,
    );
  });

  it('that stays as it is for this call cannot pass, and says what to do', () => {
    expect(refused(CALL, 409)).toMatchObject({ retryable: true });
    expect(refused(CALL, 409, { final: 'take another name', text: 'Taken' })).toMatchObject({
      message: `${CALL}: 409 (take another name; it says: Taken)`,
      retryable: false,
    });
  });
});

it('a certificate that is not trusted and an answer that cannot be read stay so; a call without one can be tried again', () => {
  expect(notTrusted(CALL, 'its certificate has expired')).toMatchObject({
    message: `${CALL}: its certificate has expired`,
    status: null,
    retryable: false,
  });
  expect(unreadable(CALL, 'its list cannot be read')).toMatchObject({
    message: `${CALL}: its list cannot be read`,
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
