import { describe, expect, it } from 'vitest';
import { Cipher } from '../../src/trove/cipher.ts';
import { GuestSerializer, UnreadableRequestError } from '../../src/trove/guest-serializer.ts';
import { CAPTURE_KEY, readFixture, type EncryptedCall } from './fixtures.ts';

const { calls } = readFixture('api_calls_encrypted.json') as { calls: EncryptedCall[] };
const cipher = new Cipher(CAPTURE_KEY);
const keyed = new GuestSerializer(CAPTURE_KEY);
const unkeyed = new GuestSerializer(null);

describe('requests of the real Trove', () => {
  it.each(calls.map((call, n) => [n, call.method, call] as const))('%i %s', (_n, _name, call) => {
    expect(keyed.decodeArgs(call.args)).toEqual(call.plainArgs);
  });

  it('with their context', () => {
    const withContext = calls.filter((call) => call.context !== undefined);
    expect(withContext.length).toBeGreaterThan(0);
    for (const { context, plainContext } of withContext) {
      expect(keyed.decodeContext(context ?? {}, 'u1')).toEqual(plainContext);
    }
  });
});

describe('a keyed guest refuses', () => {
  it('an argument in the clear, by name', () => {
    const args = { overrides: cipher.encryptJson(null), remove: true };
    expect(() => keyed.decodeArgs(args)).toThrow(UnreadableRequestError);
    expect(() => keyed.decodeArgs(args)).toThrow("argument 'remove'");
  });

  it('an argument of another key', () => {
    const args = { fs_path: new Cipher('another').encryptJson('/') };
    expect(() => keyed.decodeArgs(args)).toThrow(UnreadableRequestError);
  });

  it.each([
    ['in the clear', { user: 'u', project_id: 'p' }],
    ['missing', {}],
    ['of another key', { context: new Cipher('another').encryptJson({}) }],
    ['that is not an object', { context: cipher.encryptJson([1]) }],
    ['that is null', { context: cipher.encryptJson(null) }],
  ])('a context %s', (_name, context) => {
    expect(() => keyed.decodeContext(context, 'u1')).toThrow(UnreadableRequestError);
  });
});

describe('prototypes stay out of reach', () => {
  const poison = '{"__proto__": {"polluted": true}}';

  it('of an argument called __proto__', () => {
    const args = keyed.decodeArgs({ ['__proto__']: cipher.encryptJson({ polluted: true }) });
    expect(Object.keys(args)).toEqual(['__proto__']);
    expect(args['polluted']).toBeUndefined();
  });

  it('of a key inside the context', () => {
    const text = poison.replace('}}', '}, "request_id": "r", "user": null}');
    const context = keyed.decodeContext({ context: cipher.encrypt(text) }, 'u1');
    expect(Object.keys(context)).toEqual(['__proto__', 'request_id', 'user']);
    expect(context['polluted']).toBeUndefined();
  });
});

describe('results', () => {
  it('are encrypted, null too', () => {
    for (const result of [null, true, { used: 0.25, name: 'é' }, []]) {
      const encoded = keyed.encodeResult(result);
      expect(encoded).toMatch(/^[A-Za-z0-9+/]+=*$/);
      expect(cipher.decryptJson(encoded)).toEqual(result);
    }
  });

  it('of a handler that returns nothing are null', () => {
    expect(cipher.decryptJson(keyed.encodeResult(undefined))).toBeNull();
    expect(unkeyed.encodeResult(undefined)).toBeNull();
  });

  it('have the form that the real guest sent', () => {
    const replies = calls.filter((call) => call.result !== undefined && call.result !== null);
    expect(replies.length).toBeGreaterThan(2);
    for (const { result, plainResult } of replies) {
      const iv = Buffer.from(result ?? '', 'base64').subarray(0, 16);
      expect(cipher.decryptJson(result)).toEqual(plainResult);
      const encoded = new GuestSerializer(CAPTURE_KEY, { random: () => iv }).encodeResult(
        plainResult,
      );
      expect(String(encoded).slice(0, 20)).toBe(result?.slice(0, 20));
    }
  });
});

it('without a key everything in the clear passes as it is', () => {
  const args = { overrides: null, remove: true };
  const context = { user: 'u' };
  expect(unkeyed.decodeArgs(args)).toBe(args);
  expect(unkeyed.decodeContext(context, 'u1')).toBe(context);
  expect(unkeyed.encodeResult({ a: 1 })).toEqual({ a: 1 });
});

it('without a key, what is encrypted is refused, and the text says what is missing', () => {
  const context = { context: cipher.encryptJson({}) };
  expect(() => unkeyed.decodeContext(context, 'u1')).toThrow(
    'is encrypted, but guest_info.conf has no instance_rpc_encr_key',
  );
});

it('a request in the clear to a keyed guest has a text of its own', () => {
  expect(() => keyed.decodeContext({ user: 'u', odd: 1 }, 'u1')).toThrow('is not encrypted, but');
  expect(() => keyed.decodeContext({}, 'u1')).toThrow('is not encrypted, but');
  const mixed = { context: cipher.encryptJson({}), user: 'u' };
  expect(() => keyed.decodeContext(mixed, 'u1')).toThrow('is not encrypted, but');
});

it('tells of every request that it refuses, once', () => {
  const told: string[] = [];
  const onUnreadable = ({ message }: Error): void => {
    told.push(message);
  };
  const serializer = new GuestSerializer(CAPTURE_KEY, { onUnreadable });
  expect(() => serializer.decodeContext({ user: 'u' }, 'u1')).toThrow();
  expect(() => serializer.decodeArgs({ a: 'text', b: 'text' })).toThrow();
  serializer.decodeContext({ context: cipher.encryptJson({ request_id: 'r', user: null }) }, 'u1');
  expect(told.map((text) => text.slice(0, 30))).toEqual([
    'the request context is not enc',
    "argument 'a' is not encrypted ",
  ]);
});
