import { describe, expect, it } from 'vitest';
import {
  failureText,
  LoggedFailure,
  noSuchMethod,
  RpcFailure,
  typeError,
  unsupportedVersion,
} from '../../src/oslo/failure.ts';

const DISPATCHER = 'oslo_messaging.rpc.dispatcher';

function parsed(error: unknown): unknown {
  return JSON.parse(failureText(error));
}

describe('failureText', () => {
  it('names the Python exception, without a traceback', () => {
    const failure = new RpcFailure('An error occurred communicating with the guest: boom.', {
      exceptionClass: 'GuestError',
      exceptionModule: 'trove.common.exception',
      exceptionArgs: [],
      exceptionKwargs: { original_message: 'boom' },
    });
    expect(parsed(failure)).toEqual({
      class: 'GuestError',
      module: 'trove.common.exception',
      message: 'An error occurred communicating with the guest: boom.',
      tb: [],
      args: [],
      kwargs: { original_message: 'boom' },
    });
  });

  it('has the texts of the dispatcher of oslo.messaging', () => {
    expect(parsed(noSuchMethod('zz'))).toMatchObject({
      class: 'NoSuchMethod',
      module: DISPATCHER,
      message: 'Endpoint does not support RPC method zz',
    });
    expect(parsed(unsupportedVersion('9.9', 'zz'))).toMatchObject({
      class: 'UnsupportedVersion',
      module: DISPATCHER,
      message: 'Endpoint does not support RPC version 9.9. Attempted method: zz',
    });
    expect(parsed(typeError('x() got an unexpected keyword argument'))).toMatchObject({
      class: 'TypeError',
      module: 'builtins',
      args: ['x() got an unexpected keyword argument'],
    });
  });

  it.each([new Error('two\n lines'), 'two lines'])(
    'makes %s a RuntimeError of one line',
    (thrown) => {
      expect(parsed(thrown)).toEqual({
        class: 'RuntimeError',
        module: 'builtins',
        message: 'two lines',
        tb: [],
        args: ['two lines'],
        kwargs: {},
      });
    },
  );
});

it.each([
  ['an RpcFailure', typeError('no such argument')],
  ['any other error', new Error('no ring')],
])('%s that was logged is the same one for the caller', (_what, error) => {
  expect(failureText(LoggedFailure.of(error))).toBe(failureText(error));
  expect(LoggedFailure.of(error).cause).toBe(error);
});
