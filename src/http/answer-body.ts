import type http from 'node:http';
import type { Clock } from '../base/clock.ts';
import type { Life } from './life.ts';

/** The least that must come of a body in each `silenceMs` of waiting for it: a byte a minute is no answer. */
export const LEAST_BYTES = 64 * 1024;

/**
 * The body of an answer, piece by piece. Each 64 KiB of it, and its end, may be waited for as long as
 * `silenceMs`; the time that the reader takes does not count. An iteration that ends early ends the
 * connection.
 *
 * @param end ends the exchange: see HttpAnswer.
 * @throws NoAnswer when it is cut off, stops coming or is too slow.
 */
export async function* answerBody(
  incoming: http.IncomingMessage,
  life: Life,
  { clock, silenceMs }: { clock: Clock; silenceMs: number },
  end: () => void,
): AsyncGenerator<Buffer, void> {
  const pieces = incoming[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let leftMs = silenceMs;
  let bytes = 0;
  const late = (): Error => new Error(tooSlow(bytes, silenceMs));
  try {
    for (;;) {
      const asked = clock.monotonic();
      const piece = await life.guard(clock, leftMs, pieces.next(), late);
      if (piece.done) return;
      leftMs = Math.max(leftMs - (clock.monotonic() - asked), 0);
      bytes += piece.value.length;
      if (bytes >= LEAST_BYTES) {
        leftMs = silenceMs;
        bytes = 0;
      }
      yield piece.value;
    }
  } catch (error) {
    life.break(error);
    throw error;
  } finally {
    end();
  }
}

function tooSlow(bytes: number, ms: number): string {
  const seconds = ms / 1000;
  return bytes === 0 ? `no sign of life for ${seconds} s` : `only ${bytes} bytes in ${seconds} s`;
}
