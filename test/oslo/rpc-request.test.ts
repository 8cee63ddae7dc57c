import { describe, expect, it } from 'vitest';
import { decodeRequest, MalformedCallError } from '../../src/oslo/rpc-request.ts';
import captured from '../fixtures/oslo/requests.json' with { type: 'json' };

function bytes(message: unknown): Buffer {
  return Buffer.from(JSON.stringify(message));
}

describe('decodeRequest', () => {
  it.each(captured)('reads what Trove sends: $name', ({ body, message }) => {
    const request = decodeRequest(Buffer.from(body));
    expect(request.method).toBe(message.method);
    expect(request.args).toEqual(message.args);
    expect(request.version).toBe(message.version);
    expect(request.uniqueId).toBe(message._unique_id);
    expect(request.messageId).toBe(message._msg_id);
    expect(request.replyQueue).toBe(message._reply_q);
    expect(request.timeoutSeconds).toBe(message._timeout);
    const context = Object.entries(message).filter(([key]) => key.startsWith('_context_'));
    expect(context.length).toBeGreaterThan(0);
    expect(request.context).toEqual(
      Object.fromEntries(context.map(([key, value]) => [key.slice('_context_'.length), value])),
    );
  });

  it('gives the same request again from the text that it keeps', () => {
    const request = decodeRequest(Buffer.from(captured[0]?.body ?? ''));
    expect(request.raw).toBe(captured[0]?.body);
    expect(decodeRequest(request.raw)).toEqual(request);
  });

  it('needs nothing but a method', () => {
    expect(decodeRequest(bytes({ method: 'm', namespace: null, _msg_id: null }))).toEqual({
      method: 'm',
      args: {},
      version: '1.0',
      context: {},
      raw: '{"method":"m","namespace":null,"_msg_id":null}',
    });
  });

  it('keeps namespace and timeout', () => {
    const request = decodeRequest(bytes({ method: 'm', namespace: 'n', _timeout: 4 }));
    expect(request.namespace).toBe('n');
    expect(request.timeoutSeconds).toBe(4);
  });

  it('lets no key of the context become something else', () => {
    const { context } = decodeRequest('{"method": "m", "_context___proto__": {"admin": true}}');
    expect(Object.getPrototypeOf(context)).toBe(Object.prototype);
    expect(Object.keys(context)).toEqual(['__proto__']);
  });

  it.each([
    [bytes({ args: {} }), 'it names no method'],
    [bytes({ method: '' }), 'it names no method'],
    [bytes({ method: 1 }), 'it names no method'],
    [bytes({ method: 'm', args: [] }), 'its args are not an object'],
    [bytes({ method: 'm', version: 1 }), 'its version is not a string'],
    [bytes({ method: 'm', _reply_q: 1 }), 'its _reply_q is not a string'],
    [Buffer.from([0x7b, 0xff, 0x7d]), 'the body is not UTF-8'],
    [Buffer.alloc(0), 'the body is not JSON'],
  ])('refuses %s', (body, message) => {
    expect(() => decodeRequest(body)).toThrow(message);
  });

  it.each([{}, { method: 1 }, { method: 'm', args: [] }, { method: 'm', version: 1 }])(
    'says who waits for an answer to %j',
    (message) => {
      const call = bytes({ ...message, _msg_id: 'm1', _reply_q: 'r1' });
      const caller = { messageId: 'm1', replyQueue: 'r1' };
      expect(() => decodeRequest(call)).toThrow(expect.objectContaining({ caller }) as Error);
      expect(() => decodeRequest(bytes(message))).not.toThrow(MalformedCallError);
    },
  );
});
