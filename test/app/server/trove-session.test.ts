import { describe, expect, it } from 'vitest';
import { SeenContexts } from '../../../src/guest/seen-contexts.ts';
import { createRpcServer, createSession } from '../../../src/app/server/trove-session.ts';
import type { Delivery } from '../../../src/amqp/message.ts';
import type { JsonObject } from '../../../src/oslo/envelope.ts';
import { Cipher } from '../../../src/trove/cipher.ts';
import type { GuestHandlers } from '../../../src/trove/dispatcher.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { ScriptedPublisher } from '../../oslo/scripted-publisher.ts';
import { configured } from '../configured.ts';

const KEY = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
const KEYED = `instance_rpc_encr_key = ${KEY}`;

/** The server of the guest API of an instance that was configured so, and what it says. */
async function bench(guestAgent = '') {
  const { guest } = await configured({ guestAgent });
  const clock = new ManualClock();
  const { log, lines, texts } = recordingLog();
  const publisher = new ScriptedPublisher();
  const refused: string[] = [];
  const known = new Set<string>();
  const answers = { onRefusedCast: () => Promise.resolve() };
  const server = createRpcServer({
    guest,
    publisher,
    handlers: { rpc_ping: () => Promise.resolve(true) } as Partial<GuestHandlers> as GuestHandlers,
    onRefusedCast: (cast) => {
      refused.push(cast.method);
      return answers.onRefusedCast();
    },
    isKnown: (id) => known.has(id),
    triesAgain: { begin: () => true, survived: () => undefined },
    contexts: new SeenContexts('/nowhere'),
    largestBody: 1_000_000,
    clock,
    log,
  });
  const deliver = async (message: JsonObject): Promise<JsonObject | undefined> => {
    const delivery: Delivery = {
      content: Buffer.from(JSON.stringify(message)),
      contentType: 'application/json',
      headers: {},
      routingKey: 'guestagent.g-1',
      redelivered: false,
      ack: () => undefined,
      reject: () => undefined,
    };
    void server.onDelivery(delivery);
    await clock.advance(0);
    return publisher.messages[0];
  };
  const call = (method: string, more: JsonObject = {}): Promise<JsonObject | undefined> =>
    deliver({ method, args: {}, _msg_id: 'm1', _reply_q: 'r1', _unique_id: 'u1', ...more });
  return { call, deliver, refused, answers, known, lines, texts };
}

describe('the server of the guest API', () => {
  it('answers a call in the clear when the instance has no key', async () => {
    const { call } = await bench();
    expect(await call('rpc_ping')).toMatchObject({ result: true });
  });

  it('decrypts and encrypts with the key of the instance, and says once what it cannot read', async () => {
    const cipher = new Cipher(KEY);
    const { call } = await bench(KEYED);
    const answer = await call('rpc_ping', {
      _context_context: cipher.encryptJson({ request_id: 'r', user: null }),
    });
    expect(cipher.decryptJson(answer?.['result'])).toBe(true);
    const unread = await bench(KEYED);
    expect(JSON.stringify(await unread.call('rpc_ping'))).toContain('BadRequest');
    await unread.call('rpc_ping', { _unique_id: 'u2' });
    expect(unread.lines.filter(({ refused }) => refused === 1)).toHaveLength(1);
  });

  it("answers oslo.messaging's own ping only when that is configured", async () => {
    const on = await bench('rpc_ping_enabled = true');
    expect(await on.call('oslo_rpc_server_ping')).toMatchObject({ result: 'pong' });
    const off = await bench();
    expect(JSON.stringify(await off.call('oslo_rpc_server_ping'))).toContain('failure');
  });

  it('passes on a cast that it refuses, and logs it when even that fails', async () => {
    const { deliver, refused, answers, texts } = await bench();
    answers.onRefusedCast = () => Promise.reject(new Error('the disk is full'));
    await deliver({ method: 'prepare', args: { nonsense: 1 }, _unique_id: 'u1' });
    expect(refused).toEqual(['prepare']);
    expect(texts).toContain('Trove was not told of a refused cast');
  });

  it('leaves a request alone that an earlier agent has taken charge of', async () => {
    const { deliver, refused, known } = await bench();
    known.add('u1');
    await deliver({ method: 'prepare', args: { nonsense: 1 }, _unique_id: 'u1' });
    expect(refused).toEqual([]);
  });
});

describe('the session with the broker', () => {
  async function said(transportUrl: string, guestAgent = ''): Promise<string[]> {
    const { log, texts } = recordingLog();
    createSession({
      settings: await configured({ transportUrl, guestAgent }),
      server: new Promise(() => undefined),
      clock: new ManualClock(),
      random: () => 0,
      log,
    });
    return texts;
  }

  it('warns of credentials for some hosts only', async () => {
    expect(await said('rabbit://u:p@192.0.2.1,u:p@192.0.2.2/')).toEqual([]);
    expect(await said('rabbit://u:p@192.0.2.1,192.0.2.2/')).toEqual([
      expect.stringContaining('credentials for some of its hosts only'),
    ]);
  });

  it('names options of oslo.messaging that mean nothing here', async () => {
    const retry = '[oslo_messaging_rabbit]\nrabbit_retry_interval = 1';
    expect(await said('rabbit://u:p@192.0.2.1/', retry)).toEqual([
      'these options of oslo.messaging mean nothing here',
    ]);
  });
});
