import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { SwiftCalls } from '../../../src/backup/swift/swift-calls.ts';
import { deferred } from '../../helpers/deferred.ts';
import { startMemorySwift, type Fault, type MemorySwift } from './memory-swift.ts';

async function opened(fault: Fault): Promise<{ swift: MemorySwift; calls: SwiftCalls }> {
  const swift = await startMemorySwift();
  swift.fault = fault;
  const calls = new SwiftCalls({ ...swift, clock: systemClock });
  onTestFinished(() => calls.close());
  return { swift, calls };
}

/** Answers every call with this. */
function answers(status: number, body = '', headers: Record<string, string> = {}): Fault {
  return (_, response) => {
    response.writeHead(status, headers).end(body);
    return 'taken';
  };
}

describe('a call', () => {
  it('names its container and object so that neither can reach into the other', async () => {
    const { calls } = await opened(answers(200));
    const { url, what } = calls.call('GET', ['a b/..', '../x?y#z']);
    expect(url.pathname).toBe('/v1/AUTH_test/a%20b%2F../..%2Fx%3Fy%23z');
    expect([url.search, url.hash]).toEqual(['', '']);
    expect(what).toBe(`Swift at ${url.origin}: GET a b/../../x?y#z`);
  });

  it('goes to the account, with one slash, whether or not its URL ends with one', () => {
    const storageUrl = 'https://swift.example/v1/AUTH_x//';
    const calls = new SwiftCalls({ storageUrl, token: 't', clock: systemClock });
    expect(calls.call('PUT', ['c']).url.href).toBe('https://swift.example/v1/AUTH_x/c');
  });

  it('carries the token in its header, and nowhere that a person reads', async () => {
    const { calls, swift } = await opened(answers(200));
    const { headers, url, what } = calls.call('PUT', ['c', 'o'], { 'X-Object-Meta-a': 'b' });
    expect(headers).toEqual({ 'X-Auth-Token': swift.token, 'X-Object-Meta-a': 'b' });
    expect(`${url.href} ${what}`).not.toContain(swift.token);
  });
});

describe('a complete answer', () => {
  it('comes with its status and its text', async () => {
    const { calls } = await opened(answers(202, 'accepted'));
    expect(await calls.complete(calls.call('PUT', ['c']))).toMatchObject({
      status: 202,
      text: 'accepted',
    });
  });

  it('may be a refusal that is fine for this call, and for no other', async () => {
    const { calls } = await opened(answers(404));
    const call = calls.call('DELETE', ['c', 'o']);
    expect(await calls.complete(call, [404])).toMatchObject({ status: 404 });
    await expect(calls.complete(call, [409])).rejects.toMatchObject({ status: 404 });
  });

  it('is not read for ever', async () => {
    const { calls } = await opened((_, response) => {
      const more = (): void => void response.write(Buffer.alloc(1024 * 1024), more);
      response.on('error', () => undefined);
      more();
      return 'taken';
    });
    const call = calls.call('GET', ['c']);
    await expect(calls.complete(call)).rejects.toThrow(`${call.what}: an answer without end`);
  });
});

describe('an answer that is opened', () => {
  it.each([200, 206])('of %i has a body to be read', async (status) => {
    const { calls } = await opened(answers(status, 'hello'));
    const answer = await calls.open(calls.call('GET', ['c', 'o']));
    expect(answer.status).toBe(status);
    expect((await buffer(answer.body)).toString()).toBe('hello');
  });

  it.each([201, 204, 304])('of %i is a refusal: there is nothing to read', async (status) => {
    const { calls } = await opened(answers(status));
    await expect(calls.open(calls.call('GET', ['c', 'o']))).rejects.toMatchObject({ status });
  });
});

describe('a refusal', () => {
  it.each([
    [401, false, 'the token has expired or is not valid'],
    [403, false, 'roles in the project'],
    [404, false, 'no such object or container'],
    [412, false, ': 412, request tx-9'],
    [413, false, 'largest size or the quota'],
    [422, true, 'arrived damaged'],
    [429, true, ': 429, request tx-9'],
    [503, true, 'unavailable, or its disks are full'],
    [507, true, 'disks are full'],
  ])('of %i says what it means, and whether to try again: %s', async (status, retryable, text) => {
    const { calls, swift } = await opened(answers(status, '<html>', { 'X-Trans-Id': 'tx-9' }));
    const whole = calls.complete(calls.call('PUT', ['c', 'o'], {}, Buffer.from('x')));
    const open = calls.open(calls.call('GET', ['c', 'o']));
    for (const refused of [whole, open]) {
      await expect(refused).rejects.toMatchObject({ name: 'SwiftError', status, retryable });
      await expect(refused).rejects.toThrow(text);
      await expect(refused).rejects.not.toThrow(swift.token);
      await expect(refused).rejects.not.toThrow('<html>');
    }
  });

  it('in plain text is told in one line, cut at 300 characters', async () => {
    const plain = { 'Content-Type': 'text/plain; charset=utf-8' };
    const { calls } = await opened(answers(400, `Errors:\n  c/s_1\t${'x'.repeat(500)}`, plain));
    const call = calls.call('PUT', ['c', 'o']);
    const told = `Errors: c/s_1 ${'x'.repeat(286)}`;
    await expect(calls.complete(call)).rejects.toThrow(new RegExp(`: 400 \\(${told}\\)$`));
  });

  it('whose text is cut off is a refusal all the same', async () => {
    const { calls } = await opened((_, response) => {
      response.writeHead(403, { 'Content-Length': 100, 'Content-Type': 'text/plain' });
      response.write('some', () => response.destroy());
      return 'taken';
    });
    await expect(calls.complete(calls.call('GET', ['c']))).rejects.toMatchObject({ status: 403 });
  });
});

it('closing ends the connections that wait for another call', async () => {
  const closed = deferred();
  const { calls } = await opened((request, response) => {
    request.socket.once('close', () => closed.resolve());
    return answers(200, 'x')(request, response);
  });
  await calls.complete(calls.call('GET', ['c', 'o']));
  calls.close();
  await closed.promise;
});
