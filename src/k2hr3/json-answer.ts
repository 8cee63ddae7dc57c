import { K2hr3Error } from './k2hr3-error.ts';
import type { HttpResponse } from './exchange.ts';

/**
 * The fields of a successful answer: a JSON object with `"result": true`.
 *
 * @throws K2hr3Error `invalid-answer` for anything else, such as the page of a proxy.
 */
export function parseAnswer(response: HttpResponse): Record<string, unknown> {
  const answer = parseJson(response.body);
  if (isRecord(answer) && answer['result'] === true) return answer;
  throw new K2hr3Error(
    'invalid-answer',
    `K2HR3 at ${response.origin} answered ${response.status} without "result": true`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
