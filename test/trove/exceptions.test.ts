import { expect, it } from 'vitest';
import type { RpcFailure } from '../../src/oslo/failure.ts';
import { guestError, notSupported, troveError } from '../../src/trove/exceptions.ts';

const TROVE = 'trove.common.exception';

/** What the failure says on the wire. */
function wire(failure: RpcFailure): unknown[] {
  const { exceptionClass, exceptionModule, message, exceptionArgs, exceptionKwargs } = failure;
  return [exceptionClass, exceptionModule, message, exceptionArgs, exceptionKwargs];
}

// Class, module, args and kwargs as Trove's own guest sends them (docs/contracts/trove.md, 4.2):
// with others Trove cannot make the exception again.
it.each([
  ['TroveError', troveError('stuck'), [TROVE, 'stuck', ['stuck'], {}]],
  ['GuestError', guestError('stuck'), [TROVE, 'stuck', [], { original_message: 'stuck' }]],
  [
    'DatastoreOperationNotSupported',
    notSupported('enable_root'),
    [
      TROVE,
      "The 'enable_root' operation is not supported for the 'k2hdkc' datastore.",
      [],
      { operation: 'enable_root', datastore: 'k2hdkc' },
    ],
  ],
  [
    'DatastoreOperationNotSupported',
    notSupported('enable_root', 'it has no root user'),
    [
      TROVE,
      "The 'enable_root' operation is not supported for the 'k2hdkc' datastore: it has no root user.",
      [],
      { operation: 'enable_root', datastore: 'k2hdkc' },
    ],
  ],
])('%s', (name, failure, rest) => {
  expect(wire(failure)).toEqual([name, ...rest]);
});

it('a text does not repeat what Trove puts before it', () => {
  const shown = `An error occurred communicating with the guest: ${guestError('stuck').message}.`;
  expect(shown.match(/communicating/g)).toHaveLength(1);
});
