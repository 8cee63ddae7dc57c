import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { ControlPortError, exchange } from '../../../src/ring/control/control-exchange.ts';
import { until } from '../../helpers/until.ts';
import { WatchedClock } from '../../base/watched-clock.ts';

/** A port on which each connection is given to `serve`, and one question to it. */
async function port(serve: (socket: Socket) => void) {
  const clock = new WatchedClock();
  const sockets: Socket[] = [];
  const listener = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.resume();
    serve(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  onTestFinished(() => void listener.close());
  const { port: number } = listener.address() as AddressInfo;
  const ask = (command = 'VERSION'): Promise<string> =>
    exchange(command, { host: '127.0.0.1', port: number, clock, timeoutMs: 7_000 });
  const failure = async (asked = ask()): Promise<ControlPortError> => {
    const error: unknown = await asked.catch((reason: unknown) => reason);
    if (error instanceof ControlPortError) return error;
    throw new Error(`no failure of a control port: ${String(error)}`);
  };
  return { clock, sockets, listener, ask, failure, where: `control port 127.0.0.1:${number}` };
}

it('sends the command and nothing else, and returns all that comes until the end', async () => {
  let said = '';
  const { clock, ask } = await port((socket) => {
    socket.on('data', (data) => {
      said += data.toString();
      socket.write('SUCCEED: ');
      setImmediate(() => socket.end('one answer, ä\n'));
    });
  });
  expect(await ask('MERGE')).toBe('SUCCEED: one answer, ä');
  expect(said).toBe('MERGE');
  expect(clock.delays).toEqual([]);
});

it('puts a letter together that came in two pieces', async () => {
  const bytes = Buffer.from('ä');
  const { ask } = await port((socket) => {
    socket.write(bytes.subarray(0, 1));
    setImmediate(() => socket.end(bytes.subarray(1)));
  });
  expect(await ask()).toBe('ä');
});

it('waits only for so long, and then hangs up', async () => {
  const { clock, sockets, ask, failure, where } = await port((socket) => socket.write('half'));
  const asked = failure(ask());
  await until('it is connected', () => sockets.length === 1);
  await clock.advance(7_000);
  const { kind, message, retryable } = await asked;
  expect({ kind, message, retryable }).toEqual({
    kind: 'timeout',
    message: `VERSION: ${where} did not answer within 7000 ms`,
    retryable: true,
  });
  await until('it hangs up', () => sockets[0]?.destroyed);
});

it('names an address that chmpx does not know, which gets no answer', async () => {
  const { clock, failure } = await port((socket) => socket.end(' \n'));
  expect(await failure()).toMatchObject({ kind: 'silent', retryable: true });
  expect(clock.delays).toEqual([]);
});

it.each([
  ['nobody listens', true],
  ['the connection breaks', false],
])('says that chmpx cannot be reached when %s', async (_, isGone) => {
  const { clock, listener, failure, where } = await port((socket) => socket.resetAndDestroy());
  if (isGone) listener.close();
  const { kind, message, cause } = await failure();
  expect(kind).toBe('unreachable');
  expect(message).toContain(`VERSION: ${where} cannot be reached: `);
  expect(cause).toBeInstanceOf(Error);
  expect(clock.delays).toEqual([]);
});

it('gives up on somebody that answers without end', async () => {
  const { failure, sockets } = await port((socket) => {
    const more = (): void => {
      while (!socket.destroyed && socket.write('x'.repeat(65_536)));
    };
    socket.on('drain', more);
    more();
  });
  const { kind, message } = await failure();
  expect(kind).toBe('unreachable');
  expect(message).toContain('answers without end: it is no chmpx');
  await until('it hangs up', () => sockets[0]?.destroyed);
});
