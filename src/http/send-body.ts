import type http from 'node:http';
import type { Clock } from '../base/clock.ts';
import type { Life } from './life.ts';

/**
 * What is sent: bytes at hand, or bytes that are made while they are sent. The memory of a piece may
 * be used again when the next one is asked for, or when the iteration is ended.
 */
export type HttpBody = Uint8Array | AsyncIterable<Uint8Array>;

/** The other side has so long to ask for a body; then it gets the body unasked (ms). */
const CONTINUE_WAIT_MS = 2_000;

/**
 * Sends what a call carries. A body that is made on the way begins when the other side asks for it
 * (100-continue), and ends when the other side answers early: the connection that it closes after a
 * refusal would take the refusal with it.
 *
 * @throws NoAnswer; what the body throws if that fails.
 */
export async function sendBody(
  body: HttpBody | undefined,
  outgoing: http.ClientRequest,
  answer: Promise<http.IncomingMessage>,
  { life, clock, silenceMs }: { life: Life; clock: Clock; silenceMs: number },
): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) {
    outgoing.end(body);
    return;
  }
  let wake: () => void = () => undefined;
  const heard = { answer: false };
  void answer.then(() => {
    heard.answer = true;
    wake();
  });
  /** Whether to stop, after `begin` has called back or an answer has come. */
  const orAnswered = async (begin: (done: () => void) => void): Promise<boolean> => {
    // It can have come while the next piece was made, and then nothing may call back any more.
    if (heard.answer) return true;
    const either = new Promise<void>((resolve) => {
      wake = resolve;
      begin(resolve);
    });
    await life.guard(clock, silenceMs, either, late);
    return heard.answer;
  };

  const late = (): Error => new Error(`it took nothing for ${silenceMs / 1000} s`);
  outgoing.flushHeaders();
  const isRefused = await orAnswered((done) => {
    const cancel = clock.after(CONTINUE_WAIT_MS, done);
    outgoing.once('continue', done).once('continue', cancel).once('close', cancel);
  });
  if (isRefused) return;
  for await (const piece of body) {
    // An answer before the end is a refusal; the rest of the body is not made.
    if (await orAnswered((done) => outgoing.write(piece, () => done()))) return;
  }
  outgoing.end();
}
