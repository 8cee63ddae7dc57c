import { beforeEach, describe, expect, it } from 'vitest';
import type { Delivery } from '../../src/amqp/message.ts';
import { LoggedFailure, typeError } from '../../src/oslo/failure.ts';
import type { JsonObject } from '../../src/oslo/envelope.ts';
import type { RpcRequest } from '../../src/oslo/rpc-request.ts';
import { RpcServer } from '../../src/oslo/rpc-server.ts';
import { AgentError, Unfinished } from '../../src/base/errors.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { ScriptedPublisher } from './scripted-publisher.ts';

/** A delivery that writes down what became of it. */
class Letter implements Delivery {
  readonly content: Buffer;
  readonly contentType = 'application/json';
  readonly headers: Record<string, unknown>;
  readonly routingKey = 'guestagent.g';
  readonly redelivered = false;
  fate = 'open';

  constructor(message: JsonObject, headers: Record<string, unknown> = {}) {
    this.content = Buffer.from(JSON.stringify(message));
    this.headers = headers;
  }

  ack(): void {
    this.fate = 'acknowledged';
  }

  reject(): void {
    this.fate = 'rejected';
  }
}

const CALL = { method: 'm', args: { a: 1 }, _msg_id: 'm1', _reply_q: 'r1', _unique_id: 'u1' };
const CAST = { method: 'm', args: {}, _unique_id: 'u2' };

describe('RpcServer', () => {
  let clock: ManualClock;
  let publisher: ScriptedPublisher;
  let dispatched: RpcRequest[];
  /** What the next dispatches do. */
  let dispatch: (request: RpcRequest, accepted: () => void) => Promise<unknown>;
  let server: RpcServer;
  let logged: Record<string, unknown>[];
  /** Ids of requests that an earlier process has taken charge of. */
  let known: string[];

  function serve(publishing: ScriptedPublisher): void {
    publisher = publishing;
    const dispatcher = {
      dispatch: (request: RpcRequest, accepted: () => void): Promise<unknown> => {
        dispatched.push(request);
        return dispatch(request, accepted);
      },
    };
    const { log, lines } = recordingLog();
    logged = lines;
    const isKnown = (uniqueId: string): boolean => known.includes(uniqueId);
    server = new RpcServer({ publisher, dispatcher, clock, log, isKnown });
  }

  /** Delivers and lets everything run that needs no time. */
  async function deliver(message: JsonObject, headers?: Record<string, unknown>): Promise<Letter> {
    const letter = new Letter(message, headers);
    void server.onDelivery(letter);
    await clock.advance(0);
    return letter;
  }

  beforeEach(() => {
    clock = new ManualClock();
    dispatched = [];
    known = [];
    dispatch = () => Promise.resolve('done');
    serve(new ScriptedPublisher());
  });

  it('answers a call with the result as it was returned, and acknowledges it', async () => {
    const letter = await deliver(CALL);
    expect(dispatched[0]?.args).toEqual({ a: 1 });
    expect(publisher.published[0]?.routingKey).toBe('r1');
    expect(publisher.messages).toMatchObject([
      { result: 'done', failure: null, ending: true, _msg_id: 'm1' },
    ]);
    expect(letter.fate).toBe('acknowledged');
  });

  it('answers null for a method that returns nothing', async () => {
    dispatch = () => Promise.resolve(undefined);
    await deliver(CALL);
    expect(publisher.messages[0]).toMatchObject({ result: null });
  });

  it('acknowledges a call no sooner than its reply is confirmed', async () => {
    serve(new ScriptedPublisher(new AgentError('cut', { retryable: true })));
    const letter = await deliver(CALL);
    expect(publisher.published).toHaveLength(1);
    expect(letter.fate).toBe('open');
    await clock.advance(250);
    expect(letter.fate).toBe('acknowledged');
  });

  it('acknowledges a call whose caller is not there, and keeps its reply for a minute', async () => {
    serve(new ScriptedPublisher('returned', 'returned'));
    expect((await deliver(CALL)).fate).toBe('acknowledged');
    await clock.advance(500);
    expect(publisher.published).toHaveLength(3);
  });

  it('acknowledges at once what the dispatcher has accepted', async () => {
    dispatch = (_request, accepted) => {
      accepted();
      return new Promise(() => undefined);
    };
    expect((await deliver(CALL)).fate).toBe('acknowledged');
    expect((await deliver(CAST)).fate).toBe('acknowledged');
  });

  it('sends no reply to a cast, and acknowledges it when it is over, failed or not', async () => {
    expect((await deliver(CAST)).fate).toBe('acknowledged');
    dispatch = () => Promise.reject(new Error('no'));
    expect((await deliver({ method: 'm', _unique_id: 'u3' })).fate).toBe('acknowledged');
    expect(publisher.published).toEqual([]);
  });

  it.each([
    [typeError('m() takes no a'), 'TypeError', 'm() takes no a'],
    [new Error('disk\nfull'), 'RuntimeError', 'disk full'],
  ])('answers a call that failed with its failure', async (error, exceptionClass, message) => {
    dispatch = () => Promise.reject(error);
    const letter = await deliver(CALL);
    const [reply] = publisher.messages;
    expect(reply).toMatchObject({ result: null, ending: true });
    expect(JSON.parse(String(reply?.['failure']))).toMatchObject({
      class: exceptionClass,
      message,
      tb: [],
    });
    expect(letter.fate).toBe('acknowledged');
  });

  it('answers a call that cannot be run with a TypeError', async () => {
    const letter = await deliver({ args: 5, _msg_id: 'm1', _reply_q: 'r1' });
    const [reply] = publisher.messages;
    expect(reply).toMatchObject({ result: null, ending: true, _msg_id: 'm1' });
    expect(String(reply?.['failure'])).toMatch(/"TypeError".*it names no method/);
    expect(letter.fate).toBe('rejected');
    expect(dispatched).toEqual([]);
  });

  it('rejects what is no message', async () => {
    expect((await deliver({ nothing: 1 })).fate).toBe('rejected');
    expect((await deliver(CALL, { compression: 'application/x-gzip' })).fate).toBe('rejected');
    expect(dispatched).toEqual([]);
  });

  it.each([
    [{ version: '1.4' }, 'Endpoint does not support RPC version 1.4. Attempted method: m'],
    [{ version: '2.0' }, 'Endpoint does not support RPC version 2.0. Attempted method: m'],
    [{ version: 'x' }, 'Endpoint does not support RPC version x. Attempted method: m'],
    [{ namespace: 'n' }, 'Endpoint does not support RPC version 1.0. Attempted method: m'],
    [{ method: '_log' }, 'Endpoint does not support RPC method _log'],
  ])('refuses %j without dispatching it', async (change, message) => {
    await deliver({ ...CALL, ...change });
    expect(JSON.parse(String(publisher.messages[0]?.['failure']))).toMatchObject({ message });
    expect(dispatched).toEqual([]);
  });

  it.each(['1.0', '1.3'])('serves version %s', async (version) => {
    await deliver({ ...CALL, version });
    expect(publisher.messages[0]).toMatchObject({ failure: null });
  });

  it('runs requests side by side', async () => {
    const ends: (() => void)[] = [];
    dispatch = () => new Promise((resolve) => ends.push(() => resolve(null)));
    await deliver(CALL);
    await deliver(CAST);
    expect(ends).toHaveLength(2);
  });

  it('does not run a request again, and acknowledges its copy when the first is safe', async () => {
    let end: (value: unknown) => void = () => undefined;
    dispatch = () => new Promise((resolve) => (end = resolve));
    const first = await deliver(CALL);
    const copy = await deliver(CALL);
    expect([first.fate, copy.fate]).toEqual(['open', 'open']);
    end(true);
    await clock.advance(0);
    expect([first.fate, copy.fate]).toEqual(['acknowledged', 'acknowledged']);
    expect((await deliver(CALL)).fate).toBe('acknowledged');
    expect(dispatched).toHaveLength(1);
    expect(publisher.published).toHaveLength(1);
  });

  it('acknowledges what an earlier process has taken charge of, and does not run it', async () => {
    known.push('u1');
    expect((await deliver(CALL)).fate).toBe('acknowledged');
    expect(dispatched).toEqual([]);
    expect(publisher.published).toEqual([]);
  });

  it('resumes such a request and replies to its caller; a copy of it waits for the outcome', async () => {
    let end: (value: unknown) => void = () => undefined;
    dispatch = () => new Promise((resolve) => (end = resolve));
    const resumed = server.resume(JSON.stringify(CALL));
    const copy = await deliver(CALL);
    expect(copy.fate).toBe('open');
    end('late');
    await resumed;
    await clock.advance(0);
    expect(copy.fate).toBe('acknowledged');
    expect(publisher.messages).toMatchObject([{ result: 'late', _msg_id: 'm1' }]);
    expect(dispatched).toHaveLength(1);
    await expect(server.resume('{}')).rejects.toThrow('it names no method');
  });

  it('does not reply to a request that this process does not finish', async () => {
    dispatch = (_request, accepted) => {
      accepted();
      return Promise.reject(new Unfinished('the agent stops'));
    };
    expect((await deliver(CALL)).fate).toBe('acknowledged');
    expect(publisher.published).toEqual([]);
  });

  it('logs a failure, unless the log has it already', async () => {
    dispatch = () => Promise.reject(new Error('no ring'));
    await deliver(CALL);
    expect(logged).toMatchObject([
      { msg: 'a request failed', method: 'm', err: { message: 'no ring' } },
    ]);
    dispatch = () => Promise.reject(LoggedFailure.of(typeError('no such argument')));
    await deliver({ ...CALL, _unique_id: 'another' });
    expect(logged).toHaveLength(1);
    const failure = String(publisher.messages.at(-1)?.['failure']);
    expect(JSON.parse(failure)).toMatchObject({ class: 'TypeError', message: 'no such argument' });
  });

  it('knows requests without an id as different ones', async () => {
    await deliver({ method: 'm' });
    await deliver({ method: 'm' });
    expect(dispatched).toHaveLength(2);
  });

  it('sends signs of life to a caller that asked for them, until the method is over', async () => {
    let end: (value: unknown) => void = () => undefined;
    dispatch = () => new Promise((resolve) => (end = resolve));
    await deliver({ ...CALL, _timeout: 4 });
    await clock.advance(2_000);
    end('late');
    await clock.advance(10_000);
    expect(publisher.messages.map(({ ending }) => ending)).toEqual([false, true]);
  });
});
