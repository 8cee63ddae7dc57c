import { describe, expect, it } from 'vitest';
import { RpcFailure } from '../../src/oslo/failure.ts';
import { decodeRequest, type RpcRequest } from '../../src/oslo/rpc-request.ts';
import { Cipher } from '../../src/trove/cipher.ts';
import {
  createGuestDispatcher,
  type GuestCall,
  type GuestHandlers,
  type RefusedCast,
} from '../../src/trove/dispatcher.ts';
import { guestError } from '../../src/trove/exceptions.ts';
import { GUEST_METHODS } from '../../src/trove/guest-methods.ts';
import type { GuestLogView } from '../../src/trove/guest-log-view.ts';
import { GuestSerializer, UnreadableRequestError } from '../../src/trove/guest-serializer.ts';
import type { JsonObject } from '../../src/trove/json.ts';
import { silentLog } from '../helpers/recording-log.ts';
import { CAPTURE_KEY, readFixture, type EncryptedCall } from './fixtures.ts';

const { calls } = readFixture('api_calls_encrypted.json') as { calls: EncryptedCall[] };
const cipher = new Cipher(CAPTURE_KEY);
const STATS = {
  block_size: 4096,
  total_blocks: 3,
  free_blocks: 2,
  avail_blocks: 1,
  total: 1,
  free: 8192,
  used: 0.5,
};
const HARDWARE = { mem_total: 524288, num_cpus: 1 };
const DIAGNOSTICS = {
  version: '1',
  threads: 2,
  fd_size: 64,
  vm_size: 29096,
  vm_peak: 29160,
  vm_rss: 2872,
  vm_hwm: 2872,
};

const LOG: GuestLogView = {
  name: 'chmpx',
  type: 'USER',
  status: 'Ready',
  published: 0,
  pending: 3100,
  container: 'None',
  prefix: 'None',
  metafile: 'g/k2hdkc-chmpx_metafile',
};

/** Handlers that note what they were called with. */
function noting(): { handlers: GuestHandlers; seen: [string, unknown, GuestCall][] } {
  const seen: [string, unknown, GuestCall][] = [];
  const note =
    (method: string) =>
    (args: unknown, call: GuestCall): Promise<void> => {
      seen.push([method, args, call]);
      return Promise.resolve();
    };
  const handlers: GuestHandlers = {
    prepare: note('prepare'),
    cluster_complete: note('cluster_complete'),
    restart: note('restart'),
    stop_db: note('stop_db'),
    create_backup: note('create_backup'),
    update_overrides: note('update_overrides'),
    apply_overrides: note('apply_overrides'),
    start_db_with_conf_changes: note('start_db_with_conf_changes'),
    rebuild: note('rebuild'),
    get_hwinfo: (args, call) => note('get_hwinfo')(args, call).then(() => HARDWARE),
    get_diagnostics: (args, call) => note('get_diagnostics')(args, call).then(() => DIAGNOSTICS),
    get_filesystem_stats: (args, call) =>
      note('get_filesystem_stats')(args, call).then(() => STATS),
    rpc_ping: (args, call) => note('rpc_ping')(args, call).then(() => true),
    guest_log_list: (args, call) => note('guest_log_list')(args, call).then(() => [LOG]),
    guest_log_action: (args, call) => note('guest_log_action')(args, call).then(() => LOG),
  };
  return { handlers, seen };
}

/** A guest with or without a key, and what became of its requests. */
function guest(key: string | null, changed: Partial<GuestHandlers> = {}) {
  const { handlers, seen } = noting();
  const refused: RefusedCast[] = [];
  const dispatcher = createGuestDispatcher({
    serializer: new GuestSerializer(key),
    handlers: { ...handlers, ...changed },
    onRefusedCast: (cast) => {
      refused.push(cast);
      return Promise.resolve();
    },
    log: silentLog,
  });
  let accepted = 0;
  const dispatch = (request: RpcRequest): Promise<unknown> =>
    dispatcher.dispatch(request, () => accepted++);
  const failureOf = async (request: RpcRequest): Promise<RpcFailure> => {
    const failure: unknown = await dispatch(request).catch((error: unknown) => error);
    if (!(failure instanceof RpcFailure)) throw new Error(`no failure: ${String(failure)}`);
    return failure;
  };
  return { dispatch, failureOf, seen, refused, accepted: () => accepted };
}

/** A request as it comes off the wire. */
function request(method: string, args: JsonObject = {}, more: JsonObject = {}): RpcRequest {
  return decodeRequest(JSON.stringify({ method, args, _unique_id: 'u1', ...more }));
}
const failing = (): Promise<void> => Promise.reject(guestError('stuck'));
const asCall = { _msg_id: 'm1', _reply_q: 'reply_1' };

describe('every request of the real Trove, encrypted, is answered', () => {
  const context = calls.find((one) => one.context !== undefined);

  it.each(calls.map((call, n) => [n, call.method, call] as const))(
    '%i %s',
    async (_n, name, call) => {
      const { dispatch, seen } = guest(CAPTURE_KEY);
      const wire = request(name, call.args, {
        _context_context: context?.context?.['context'],
        ...asCall,
      });
      const outcome = dispatch(wire).then((result) => cipher.decryptJson(result));
      const answer = GUEST_METHODS.get(name)?.answer;
      if (answer?.by === 'failure') {
        await expect(outcome).rejects.toThrow(`The '${name}' operation is not supported`);
        expect(seen).toEqual([]);
      } else if (answer?.by === 'result') {
        expect(await outcome).toEqual(answer.result);
      } else {
        const results = new Map<string, unknown>([
          ['rpc_ping', true],
          ['get_filesystem_stats', STATS],
          ['get_hwinfo', HARDWARE],
          ['get_diagnostics', DIAGNOSTICS],
          ['guest_log_list', [LOG]],
          ['guest_log_action', LOG],
        ]);
        expect(await outcome).toEqual(results.get(name) ?? null);
        expect(seen.map(([method]) => method)).toEqual([name]);
        expect(seen[0]?.[1]).toMatchObject(asFlags(call.plainArgs));
        expect(seen[0]?.[2].context).toEqual(context?.plainContext);
      }
    },
  );
});

/** Of guest_log_action what the user has left out is null. */
function asFlags(args: JsonObject): JsonObject {
  const flags = ['enable', 'disable', 'publish', 'discard'];
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [
      name,
      flags.includes(name) ? value === true : value,
    ]),
  );
}

describe('a handler is told', () => {
  it('the id, the message as it came, and how to accept it', async () => {
    const { dispatch, seen, accepted } = guest(null);
    const wire = request('restart', {}, { _context_request_id: 'req-1' });
    await dispatch(wire);
    const call = seen[0]?.[2];
    expect(call).toMatchObject({ id: 'u1', body: wire.raw, context: { request_id: 'req-1' } });
    expect(accepted()).toBe(0);
    call?.accepted();
    expect(accepted()).toBe(1);
  });

  it('an id of the bytes when the message has none', async () => {
    const { dispatch, seen } = guest(null);
    const none = { _unique_id: null };
    await dispatch(request('restart', {}, none));
    await dispatch(request('restart', {}, none));
    await dispatch(request('stop_db', {}, none));
    const [first, again, other] = seen.map(([, , call]) => call.id);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('of its failure the caller hears', async () => {
    const { failureOf } = guest(null, { restart: failing });
    expect((await failureOf(request('restart', {}, asCall))).message).toBe('stuck');
  });
});

describe('refused', () => {
  it.each(['no_such_method', 'constructor', '__proto__', 'get_service_status'])(
    '%s is no method',
    async (method) => {
      const { failureOf } = guest(null);
      expect(await failureOf(request(method, {}, asCall))).toMatchObject({
        exceptionClass: 'NoSuchMethod',
        message: `Endpoint does not support RPC method ${method}`,
      });
    },
  );

  it('an unknown method is, to who has the key', async () => {
    const { failureOf } = guest(null);
    expect((await failureOf(request('zz'))).exceptionClass).toBe('NoSuchMethod');
    const { failureOf: keyed } = guest(CAPTURE_KEY);
    expect((await keyed(request('zz'))).exceptionClass).toBe('BadRequest');
  });

  it.each([
    ['restart', { bogus: 1 }, "restart() got an unexpected keyword argument 'bogus'"],
    ['create_user', {}, "create_user() missing 1 required positional argument: 'users'"],
  ])('%s with %j has a TypeError', async (method, args, message) => {
    const { failureOf, seen } = guest(null);
    expect(await failureOf(request(method, args, asCall))).toMatchObject({
      exceptionClass: 'TypeError',
      exceptionModule: 'builtins',
      message,
    });
    expect(seen).toEqual([]);
  });

  it.each([
    ['in the clear', request('rpc_ping', {}, { ...asCall, _context_user: 'u' })],
    [
      'encrypted for another',
      request('rpc_ping', {}, { ...asCall, _context_context: new Cipher('x').encryptJson({}) }),
    ],
  ])('a request %s never reaches a handler of a keyed guest', async (_name, wire) => {
    const { failureOf, seen } = guest(CAPTURE_KEY);
    const failure = await failureOf(wire);
    expect(failure).toBeInstanceOf(UnreadableRequestError);
    expect(failure).toMatchObject({
      exceptionClass: 'BadRequest',
      exceptionModule: 'trove.common.exception',
    });
    expect(seen).toEqual([]);
  });
});

describe('a refused cast is told of, because it has no reply', () => {
  const context = { _context_trove_notification: { request_id: 'r' } };

  it('of a method without a handler', async () => {
    const { failureOf, refused } = guest(null);
    const failure = await failureOf(request('create_user', { users: [] }, context));
    expect(refused).toEqual([
      {
        id: 'u1',
        method: 'create_user',
        args: { users: [] },
        context: { trove_notification: { request_id: 'r' } },
        failure,
      },
    ]);
  });

  it('of a call only when its reply shows nobody why, as that to pre_upgrade', async () => {
    const { failureOf, refused } = guest(null);
    const failure = await failureOf(request('pre_upgrade', {}, { ...context, ...asCall }));
    await failureOf(request('update_guest', {}, { ...context, ...asCall }));
    expect(refused.map((cast) => [cast.method, cast.failure])).toEqual([['pre_upgrade', failure]]);
  });

  it('of a prepare that makes no sense', async () => {
    const { failureOf, refused } = guest(null);
    await failureOf(request('prepare', { overrides: 5 }, context));
    expect(refused.map((cast) => cast.method)).toEqual(['prepare']);
  });

  it('of a rebuild that makes no sense', async () => {
    const { failureOf, refused } = guest(null);
    await failureOf(request('rebuild', { ds_version: '1', config_overrides: 5 }, context));
    expect(refused.map((cast) => cast.method)).toEqual(['rebuild']);
  });

  it('but not a call, whose caller hears of it', async () => {
    const { failureOf, refused } = guest(null);
    await failureOf(request('create_user', { users: [] }, { ...context, ...asCall }));
    expect(refused).toEqual([]);
  });

  it('and not a cast that cannot be decrypted, which anybody can send', async () => {
    const { failureOf, refused } = guest(CAPTURE_KEY);
    await failureOf(request('create_user', { users: [] }, context));
    expect(refused).toEqual([]);
  });

  it('and not when a handler fails, which notifies by itself', async () => {
    const { failureOf, refused } = guest(null, { prepare: failing });
    const args = { packages: [], databases: [], memory_mb: 1, users: [] };
    await failureOf(request('prepare', args, context));
    expect(refused).toEqual([]);
  });
});
