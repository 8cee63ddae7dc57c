import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeEnvelope, type JsonObject } from '../../../src/oslo/envelope.ts';
import { RawCaller } from '../../helpers/raw-caller.ts';
import { until } from '../../helpers/until.ts';
import { Attacked } from './attacked.ts';

/** Somebody with the broker's login, as every guest has it, and without the key of this guest. */
let stranger: RawCaller;
/** Somebody with another guest's key. */
let neighbour: RawCaller;
/** As Trove, whose messages the others can read at the broker. */
let trove: RawCaller;
let attacked: Attacked;

beforeAll(async () => {
  attacked = await Attacked.open();
  const { stage, actor } = attacked;
  const about = {
    transportUrl: stage.broker.url(stage.vhost),
    exchange: 'trove',
    id: actor.id,
  };
  stranger = await RawCaller.open({ ...about, key: null });
  neighbour = await RawCaller.open({ ...about, key: 'the key of another guest' });
  trove = await RawCaller.open({ ...about, key: actor.secrets[0] ?? '' });
});

afterAll(async () => {
  await Promise.all([stranger, neighbour, trove].map((caller) => caller.close()));
  await attacked.close();
});

/** No log line is longer (characters): its parts are cut. */
const LONGEST_LINE = 20_000;

/** Does something, after which Trove is answered, by the same processes, and the log is small. */
async function harmless(attack: () => Promise<unknown>): Promise<string[]> {
  const { pids } = attacked;
  const { length } = await attacked.actor.vm.log();
  await attack();
  expect(await attacked.answers()).toBe(true);
  expect(attacked.pids).toEqual(pids);
  const lines = await attacked.linesSince(length);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(LONGEST_LINE);
  return lines;
}

const call = (more: JsonObject = {}): JsonObject =>
  stranger.request('rpc_ping', {}, { ...stranger.callFields(), ...more });

const LETTERS = [' ', '\t', '\n', '_', '(', '[', '"', '\\', '%', '7', '\u001b', '\u00e9'];
const RUN = 100_000;

/** Where a text of a stranger's can be. */
const PLACES: [string, (text: string) => JsonObject][] = [
  ['the method', (text) => call({ method: `${text}x` })],
  ['the version', (text) => call({ version: `1${text}.0` })],
  ['the namespace', (text) => call({ namespace: text })],
  ['the message id', (text) => call({ _msg_id: text })],
  ['the reply queue', (text) => call({ _reply_q: text })],
  ['the unique id', (text) => call({ _unique_id: text })],
  ['the name of an argument', (text) => call({ args: { [text]: 1 } })],
  ['an argument', (text) => call({ args: { a: text } })],
  ['the context', (text) => call({ _context_context: text })],
  ['the name of a context value', (text) => call({ [`_context_${text}`]: text })],
];

/** What happens to a call: the failure in its reply. */
async function refusalOf(caller: RawCaller, request: JsonObject): Promise<string> {
  await caller.send(request);
  const id = String(request['_msg_id']);
  const reply = await until('a reply', () => caller.replies.get(id)?.[0]);
  return reply.failure ?? 'it was done';
}

const DANGEROUS = [
  'restart',
  'stop_db',
  'reset_configuration',
  'create_backup',
  'cluster_complete',
];

describe('a request that Trove has not made', () => {
  it.each(DANGEROUS)('for %s, in the clear, changes nothing', async (method) => {
    const request = () => stranger.request(method, {}, stranger.callFields());
    await harmless(async () => {
      expect(await refusalOf(stranger, request())).toContain('is not encrypted');
    });
  });

  it.each(DANGEROUS)("for %s, with another guest's key, changes nothing", async (method) => {
    await harmless(async () => {
      const request = neighbour.request(method, {}, neighbour.callFields());
      expect(await refusalOf(neighbour, request)).toContain(
        'is not encrypted with the key of this instance',
      );
    });
  });

  it.each(DANGEROUS)(
    'for %s, with the context of another request, changes nothing',
    async (method) => {
      const seen = trove.request('get_hwinfo', {}, trove.callFields());
      await harmless(async () => {
        expect(await refusalOf(trove, seen)).toBe('it was done');
        const forged = { ...seen, method, ...trove.callFields(), _unique_id: randomUUID() };
        expect(await refusalOf(trove, forged)).toContain('is that of another request');
      });
    },
  );

  it('but seen before, under an id of its own, changes nothing', async () => {
    const seen = trove.request('get_diagnostics', {}, trove.callFields());
    await harmless(async () => {
      expect(await refusalOf(trove, seen)).toBe('it was done');
      const again = { ...seen, ...trove.callFields(), _unique_id: randomUUID() };
      expect(await refusalOf(trove, again)).toContain('is that of another request');
    });
  });

  it('with a context that lacks the user or the request changes nothing', async () => {
    await harmless(async () => {
      for (const part of ['request_id', 'user']) {
        const made = trove.request('restart', {}, trove.callFields());
        const context = { request_id: 'r', user: 'u' } as JsonObject;
        Reflect.deleteProperty(context, part);
        const sealed = trove.request('x', { context })['args'] as JsonObject;
        const request = { ...made, _context_context: sealed['context'] };
        expect(await refusalOf(trove, request)).toContain('the request context');
      }
    });
  });
});

describe('a stranger who sends a large message', () => {
  it('has messages over 4 MiB rejected unread', async () => {
    const lines = await harmless(async () => {
      const body = encodeEnvelope(call({ method: 'm'.repeat(5_000_000) }));
      for (let n = 0; n < 3; n++) await stranger.publish(body);
    });
    expect(lines.join('\n')).toContain('and 4194304 are allowed');
  });
});

describe('a stranger who sends runs of 100,000 letters', () => {
  it.each(PLACES)('in %s keeps nobody waiting', async (_, at) => {
    await harmless(async () => {
      for (const letter of LETTERS) await stranger.send(at(letter.repeat(RUN)));
    });
  });

  it('instead of a message keeps nobody waiting', async () => {
    const lines = await harmless(async () => {
      for (const letter of LETTERS) await stranger.publish(Buffer.from(letter.repeat(RUN)));
    });
    expect(lines.join('\n')).not.toContain('\u001b');
  });
});

describe('a stranger who sends a million levels', () => {
  const LEVELS = 1_000_000;
  const lists = '['.repeat(LEVELS) + ']'.repeat(LEVELS);
  const objects = `${'{"a":'.repeat(LEVELS / 2)}1${'}'.repeat(LEVELS / 2)}`;
  /** A call with this text, which JSON.stringify could not write, in the place of the word DEEP. */
  const calling = (deep: string, more: JsonObject): string =>
    JSON.stringify(call(more)).replace('"DEEP"', deep);

  it.each([
    ['of lists', lists],
    ['of objects', objects],
    ['of lists as an argument', lists, { args: { a: 'DEEP' } }],
    ['of objects as the arguments', objects, { args: 'DEEP' }],
    ['of lists as the context', lists, { _context_context: 'DEEP' }],
    ['of lists as the id', lists, { _unique_id: 'DEEP' }],
    ['that never end', '['.repeat(3_000_000)],
  ])('%s keeps nobody waiting', async (_, deep, more?: JsonObject) => {
    await harmless(() => stranger.publish(Buffer.from(more ? calling(deep, more) : deep)));
  });
});

describe('a stranger who sends many', () => {
  it('and names queues that do not exist has few lines to read', async () => {
    const lines = await harmless(async () => {
      const fields = (n: number) => ({ _msg_id: `m${n}`, _reply_q: `nowhere-${n}` });
      await Promise.all(Array.from({ length: 3_000 }, (_, n) => stranger.send(call(fields(n)))));
    });
    expect(lines.length).toBeLessThan(200);
  });

  it('of the same request is not answered for each', async () => {
    const same = call({ method: 'stop_db', _unique_id: 'the-same' });
    await harmless(async () => {
      for (let n = 0; n < 200; n++) await stranger.send(same);
    });
    const replies = stranger.replies.get(String(same['_msg_id'])) ?? [];
    expect(replies.length).toBeLessThanOrEqual(1);
  });
});

it("the log holds none of the guest's secrets", async () => {
  const log = await attacked.actor.vm.log();
  for (const secret of attacked.actor.secrets) expect(log).not.toContain(secret);
});
