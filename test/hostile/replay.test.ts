import { describe, expect, it } from 'vitest';
import { encodeEnvelope, type JsonObject } from '../../src/oslo/envelope.ts';
import { Cipher } from '../../src/trove/cipher.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { guestServer, KEY, letter } from './guest-server.ts';

const cipher = new Cipher(KEY);
const CONTEXT = { request_id: 'req-1', user: 'somebody', roles: ['member'], is_admin: true };
/** A context as Trove encrypts it: each time with other random bytes. */
const sealed = (context: unknown = CONTEXT): string => cipher.encryptJson(context);

/** Asks one agent after the other; `next` is a restart. */
async function guest(isKeyed = true) {
  const stateDirectory = await temporaryDirectory();
  let runs = 0;
  const ping = (): Promise<boolean> => Promise.resolve(Boolean(++runs));
  const start = () => guestServer({ isKeyed, stateDirectory, ping });
  let agent = await start();
  const ask = async (more: JsonObject): Promise<'run' | 'refused'> => {
    const before = runs;
    const call = { method: 'rpc_ping', args: {}, _msg_id: 'm', _reply_q: 'r', ...more };
    const sent = letter(encodeEnvelope(call));
    const { publisher, server, clock } = agent;
    const replies = publisher.published.length;
    void server.onDelivery(sent);
    await clock.advance(0);
    expect(sent.fate).toBe('acknowledged');
    if (runs > before) return 'run';
    expect(publisher.published.at(replies)?.content.toString()).toContain('BadRequest');
    return 'refused';
  };
  return { ask, next: async () => void (agent = await start()), stateDirectory };
}

describe('an encrypted context', () => {
  it('is good for one request', async () => {
    const { ask } = await guest();
    const context = sealed();
    expect(await ask({ _unique_id: 'a', _context_context: context })).toBe('run');
    expect(await ask({ _unique_id: 'b', _context_context: context })).toBe('refused');
    expect(await ask({ _context_context: context })).toBe('refused'); // without an id
    expect(await ask({ _unique_id: 'c', _context_context: sealed() })).toBe('run');
  });

  it('is good for one request, whatever other method or argument it comes with', async () => {
    const { ask } = await guest();
    const context = sealed();
    expect(await ask({ _unique_id: 'a', _context_context: context })).toBe('run');
    for (const method of ['rpc_ping', 'restart', 'cluster_complete', 'stop_db']) {
      const args: JsonObject = { a: cipher.encryptJson(1) };
      expect(await ask({ method, args, _unique_id: method, _context_context: context })).toBe(
        'refused',
      );
    }
  });

  it('is known over a restart, and the same request is taken when it is delivered again', async () => {
    const { ask, next } = await guest();
    const context = sealed();
    expect(await ask({ _unique_id: 'a', _context_context: context })).toBe('run');
    await next();
    expect(await ask({ _unique_id: 'b', _context_context: context })).toBe('refused');
    expect(await ask({ _unique_id: 'a', _context_context: context })).toBe('run');
  });

  it('is known with another front too, which still decrypts to something', async () => {
    const { ask } = await guest();
    const context = sealed({ a: 1, ...CONTEXT });
    expect(await ask({ _unique_id: 'a', _context_context: context })).toBe('run');
    const bytes = Buffer.from(context, 'base64');
    bytes[2] = (bytes[2] ?? 0) ^ 0x02; // "a" becomes "c": the IV is added to the first block
    const changed = bytes.toString('base64');
    expect(cipher.decryptJson(changed)).toMatchObject({ c: 1, request_id: 'req-1' });
    expect(await ask({ _unique_id: 'b', _context_context: changed })).toBe('refused');
  });

  it.each([
    ['no request_id', { user: 'somebody' }],
    ['no user', { request_id: 'req-1' }],
    ['an empty request_id', { request_id: '', user: 'somebody' }],
    ['a request_id that is no text', { request_id: 7, user: 'somebody' }],
    ['nothing', {}],
    ['an argument in its place', { overrides: { a: 1 } }],
  ])('with %s is refused', async (_, context) => {
    const { ask } = await guest();
    expect(await ask({ _unique_id: 'a', _context_context: sealed(context) })).toBe('refused');
  });

  it.each([{ user: null }, { user_id: 'somebody' }])(
    'of Trove itself, with %j, is taken',
    async (who) => {
      const { ask } = await guest();
      const context = sealed({ request_id: 'req-1', ...who });
      expect(await ask({ _unique_id: 'a', _context_context: context })).toBe('run');
    },
  );
});
