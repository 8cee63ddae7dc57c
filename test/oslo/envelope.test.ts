import { describe, expect, it } from 'vitest';
import { AgentError } from '../../src/base/errors.ts';
import { decodeEnvelope, encodeEnvelope } from '../../src/oslo/envelope.ts';

describe('the envelope', () => {
  it('is JSON with a JSON string inside', () => {
    expect(encodeEnvelope({ a: 'é' }).toString('utf8')).toBe(
      String.raw`{"oslo.version":"2.0","oslo.message":"{\"a\":\"é\"}"}`,
    );
  });

  it('comes off again', () => {
    expect(decodeEnvelope(encodeEnvelope({ a: [1] }).toString())).toEqual({ a: [1] });
  });

  it('may be missing, whole or in part', () => {
    expect(decodeEnvelope('{"method": "m"}')).toEqual({ method: 'm' });
    expect(decodeEnvelope('{"oslo.version": "3.0"}')).toEqual({ 'oslo.version': '3.0' });
  });

  it.each([
    ['secret', 'the body is not JSON'],
    ['["secret"]', 'the body is not a JSON object'],
    ['', 'the body is not JSON'],
    ['{"oslo.version": "2.1", "oslo.message": "{}"}', 'its envelope is of version "2.1", not 2.0'],
    ['{"oslo.version": "3.0", "oslo.message": "{}"}', 'its envelope is of version "3.0"'],
    ['{"oslo.version": "2.0", "oslo.message": {}}', 'its oslo.message is not a string'],
    ['{"oslo.version": "2.0", "oslo.message": "secret"}', 'its oslo.message is not JSON'],
    ['{"oslo.version": "2.0", "oslo.message": "[]"}', 'its oslo.message is not a JSON object'],
  ])('refuses %s without quoting it', (text, message) => {
    const decode = (): unknown => decodeEnvelope(text);
    expect(decode).toThrow(AgentError);
    expect(decode).toThrow(message);
    expect(decode).not.toThrow('secret');
  });
});
