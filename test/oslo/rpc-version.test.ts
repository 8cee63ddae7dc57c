import { expect, it } from 'vitest';
import type { RpcRequest } from '../../src/oslo/rpc-request.ts';
import { checkSupported } from '../../src/oslo/rpc-version.ts';

const request = (change: Partial<RpcRequest>): RpcRequest =>
  ({ method: 'restart', version: '1.0', namespace: undefined, ...change }) as RpcRequest;

it.each(['1.0', '1.1', '1.3'])('serves version %s', (version) => {
  expect(() => checkSupported(request({ version }))).not.toThrow();
});

it.each(['1.4', '2.0', '0.9', '1', '1.0.0', '1.x', '', ' 1.0'])(
  'refuses version "%s"',
  (version) => {
    expect(() => checkSupported(request({ version }))).toThrow(
      expect.objectContaining({ exceptionClass: 'UnsupportedVersion' }) as Error,
    );
  },
);

it('refuses any namespace, the empty one included', () => {
  for (const namespace of ['', 'x']) {
    expect(() => checkSupported(request({ namespace }))).toThrow(
      expect.objectContaining({ exceptionClass: 'UnsupportedVersion' }) as Error,
    );
  }
});

it('has no method whose name is private in Python', () => {
  expect(() => checkSupported(request({ method: '_restart' }))).toThrow(
    expect.objectContaining({ exceptionClass: 'NoSuchMethod' }) as Error,
  );
});
