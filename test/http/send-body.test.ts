import { EventEmitter } from 'node:events';
import http from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { Life } from '../../src/http/life.ts';
import { sendBody } from '../../src/http/send-body.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { deferred } from '../helpers/deferred.ts';

/** A request whose other side takes the first piece, and nothing after it. */
class Request extends EventEmitter {
  readonly written: string[] = [];

  flushHeaders(): void {
    setImmediate(() => this.emit('continue'));
  }

  write(piece: Uint8Array, taken: () => void): void {
    if (this.written.push(String(piece)) === 1) taken();
  }
}

it('a refusal that comes while the next piece is made ends the body', async () => {
  const outgoing = new Request();
  const answer = deferred<http.IncomingMessage>();
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from('first'));
    answer.resolve(new http.IncomingMessage(new Socket()));
    await answer.promise;
    yield Buffer.from('second');
  }
  const clock = new ManualClock();
  const limits = { life: new Life(undefined), clock, silenceMs: 60_000 };
  const sent = sendBody(
    pieces(),
    outgoing as unknown as http.ClientRequest,
    answer.promise,
    limits,
  );
  await clock.advance(60_000);
  await sent;
  expect(outgoing.written).toEqual(['first']);
});
