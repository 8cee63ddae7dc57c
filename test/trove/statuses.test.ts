import { expect, it } from 'vitest';
import { SERVICE_STATUS } from '../../src/trove/statuses.ts';

/** What the real conductor accepts (docs/contracts/trove.md, 5.5). */
const ACCEPTED = [
  'new',
  'building',
  'instance ready',
  'healthy',
  'running',
  'blocked',
  'paused',
  'shutdown',
  'crashed',
  'failed to spawn',
  'promoting replica',
  'ejecting replica source',
  'transferring guest logs',
  'unknown',
  'deleted',
  'guestagent error',
  'restart required',
  'restarting',
];

it('only descriptions that the real conductor accepts are used', () => {
  expect(ACCEPTED).toEqual(expect.arrayContaining(Object.values(SERVICE_STATUS)));
});
