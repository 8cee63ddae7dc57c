import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeEnvelope, type JsonObject } from '../../src/oslo/envelope.ts';
import { Cipher } from '../../src/trove/cipher.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { guestServer, KEY, LARGEST, letter } from './guest-server.ts';

const LENGTH = 100_000;
/** Letters that expressions look for; `x` is none of them. */
const LETTERS = [
  ' ',
  '\t',
  '\n',
  '\r',
  '_',
  '(',
  '[',
  '{',
  '"',
  '\\',
  '%',
  '0',
  '=',
  '/',
  '\u001b',
];
/** A text costs at most so many times what harmless letters cost in its place; a square 10,000 times. */
const MOST_TIMES = 60;
/** What one message may write, in a reply and in lines (characters). */
const MOST_WRITTEN = 30_000;

type Make = (text: string) => JsonObject | string;
const call = (more: JsonObject): JsonObject => ({
  method: 'rpc_ping',
  args: {},
  version: '1.0',
  _msg_id: 'm',
  _reply_q: 'r',
  ...more,
});
const FIELDS: Record<string, Make> = {
  method: (text) => call({ method: text }),
  'an argument': (text) => call({ args: { a: text } }),
  'the name of an argument': (text) => call({ args: { [text]: 1 } }),
  version: (text) => call({ version: text }),
  namespace: (text) => call({ namespace: text }),
  _unique_id: (text) => call({ _unique_id: text }),
  _msg_id: (text) => call({ _msg_id: text }),
  _reply_q: (text) => call({ _reply_q: text }),
  _timeout: (text) => call({ _timeout: text }),
  'the context': (text) => call({ _context_context: text }),
  'a key of the context': (text) => call({ [`_context_${text}`]: text }),
  'what is no field': (text) => call({ [text]: text }),
  'the version of the envelope': (text) =>
    JSON.stringify({ 'oslo.version': text, 'oslo.message': '{}' }),
  'the message in the envelope': (text) =>
    JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': text }),
  'the whole body': (text) => text,
  'what the key opens': (text) =>
    call({
      args: { a: new Cipher(KEY).encryptJson(text) },
      _context_context: new Cipher(KEY).encryptJson({ request_id: 'r', user: null, [text]: text }),
    }),
};

/** Between its ends, so that no expression may begin or end at one of these letters. */
const run = (unit: string): string => `a${unit.repeat(LENGTH)}b`;

describe.each([
  ['a guest with a key', true],
  ['a guest without one', false],
])('%s', (_, isKeyed) => {
  /** The least that one message costs this process until it is answered or rejected, of some times (µs). */
  async function cost(make: Make, unit: string, times: number): Promise<number> {
    const made = make(run(unit));
    const body = typeof made === 'string' ? Buffer.from(made) : encodeEnvelope(made);
    const spent: number[] = [];
    for (let n = 0; n < times; n++) {
      const { server, clock, lines, publisher } = await guestServer({ isKeyed });
      const sent = letter(body);
      // Not the time that passes: other processes would be in it.
      const begun = process.cpuUsage();
      void server.onDelivery(sent);
      await clock.advance(0);
      const { user, system } = process.cpuUsage(begun);
      spent.push(user + system);
      expect(sent.fate).not.toBe('open');
      const replies = publisher.published.map(({ content }) => content.toString());
      expect([...lines, ...replies].join('').length).toBeLessThan(MOST_WRITTEN);
    }
    return Math.min(...spent);
  }

  it.each(Object.entries(FIELDS))('refuses any run of letters in %s quickly', async (__, make) => {
    const harmless = await cost(make, 'x', 5);
    const isDear = async (unit: string, times: number): Promise<boolean> =>
      (await cost(make, unit, times)) > MOST_TIMES * harmless;
    const dear: string[] = [];
    for (const unit of LETTERS) {
      // A pause of the garbage collector can be in each of three times, if not in each of twenty.
      if ((await isDear(unit, 3)) && (await isDear(unit, 20))) dear.push(unit);
    }
    expect(dear).toEqual([]);
  });
});

describe('a message that ends the agent', () => {
  it('is tried six times, by one agent after the other, and then rejected', async () => {
    const stateDirectory = await temporaryDirectory();
    const body = JSON.stringify(call({ _unique_id: 'u1' }));
    const tries: number[] = [];
    const ping = (): Promise<never> => {
      tries.push(1);
      return new Promise(() => undefined);
    };
    const fates: string[] = [];
    for (const redelivered of [false, true, true, true, true, true, true]) {
      const { server, clock } = await guestServer({ isKeyed: false, stateDirectory, ping });
      const sent = letter(body, redelivered);
      void server.onDelivery(sent);
      await clock.advance(0);
      fates.push(sent.fate);
    }
    expect(fates).toEqual([...Array<string>(6).fill('open'), 'rejected']);
    expect(tries).toHaveLength(6);
  });

  it('while it is read is tried three times, and then rejected', async () => {
    const stateDirectory = await temporaryDirectory();
    const file = path.join(stateDirectory, 'second-tries');
    const body = JSON.stringify(call({ _unique_id: 'u1' }));
    const fates: string[] = [];
    for (const redelivered of [false, true, true, true]) {
      // The agent ends in this turn: what it would note after it is not there for the next one.
      let noted = null as string | null;
      const ping = (): Promise<never> => {
        noted = existsSync(file) ? readFileSync(file, 'utf8') : '';
        return new Promise(() => undefined);
      };
      const { server, clock } = await guestServer({ isKeyed: false, stateDirectory, ping });
      const sent = letter(body, redelivered);
      void server.onDelivery(sent);
      if (noted !== null) writeFileSync(file, noted);
      await clock.advance(0);
      fates.push(sent.fate);
    }
    expect(fates).toEqual(['open', 'open', 'open', 'rejected']);
  });

  it('costs no other message its second try', async () => {
    const stateDirectory = await temporaryDirectory();
    const { server, clock } = await guestServer({ isKeyed: false, stateDirectory });
    for (const id of ['m1', 'm2', 'm3']) {
      const sent = letter(JSON.stringify(call({ _msg_id: id })), true);
      void server.onDelivery(sent);
      await clock.advance(0);
      expect(sent.fate).toBe('acknowledged');
    }
  });
});

describe('a body that is too large', () => {
  it('is rejected without being read', async () => {
    const { server, clock, lines, publisher } = await guestServer({ isKeyed: false });
    const fits = letter(JSON.stringify(call({})).padEnd(LARGEST));
    const large = letter(JSON.stringify(call({})).padEnd(LARGEST + 1));
    for (const sent of [fits, large]) void server.onDelivery(sent);
    await clock.advance(0);
    expect([fits.fate, large.fate]).toEqual(['acknowledged', 'rejected']);
    expect(publisher.published).toHaveLength(1);
    expect(lines.join('')).toContain(`it has ${LARGEST + 1} bytes, and ${LARGEST} are allowed`);
  });
});
