import { expect, it } from 'vitest';
import { parseAnswer } from '../../src/k2hr3/json-answer.ts';

const answer = (body: string) => ({ origin: 'http://192.0.2.1', status: 200, headers: {}, body });

it('gives the fields of an answer that says it is one', () => {
  expect(parseAnswer(answer('{"result": true, "host": "a"}'))).toEqual({ result: true, host: 'a' });
});

it.each(['', '<html>', '[]', 'null', 'true', '{}', '{"result": false}', '{"result": "true"}'])(
  'refuses %j, and can be asked again',
  (body) => {
    expect(() => parseAnswer(answer(body))).toThrow(
      expect.objectContaining({
        kind: 'invalid-answer',
        retryable: true,
        message: 'K2HR3 at http://192.0.2.1 answered 200 without "result": true',
      }) as Error,
    );
  },
);
