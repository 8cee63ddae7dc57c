import { describe, expect, it } from 'vitest';
import {
  dated,
  heartbeat,
  isOutcome,
  notifyEnd,
  notifyExcInfo,
  updateBackup,
} from '../../src/trove/conductor-messages.ts';
import type { JsonObject } from '../../src/trove/json.ts';
import { SERVICE_STATUS } from '../../src/trove/statuses.ts';
import { CONDUCTOR_RPC_VERSION } from '../../src/trove/topics.ts';
import { readFixture, type ConductorCast } from './fixtures.ts';

const casts = readFixture('conductor_messages_plain.json') as ConductorCast[];
const captured = (method: string): ConductorCast => {
  const cast = casts.find((one) => one.method === method);
  if (cast === undefined) throw new Error(`no ${method} in the capture`);
  return cast;
};
const INSTANCE = '11111111-aaaa-4bbb-8ccc-000000000001';

/** The context as the request had it, before the real guest put its instance id into it. */
function requestContext(cast: ConductorCast): JsonObject {
  const notification = { ...(cast.context['trove_notification'] as JsonObject) };
  return {
    ...cast.context,
    trove_notification: Object.fromEntries(
      Object.entries(notification).filter(([key]) => key !== 'instance_id'),
    ),
  };
}

it('a heartbeat is as the real guest sends it, with an empty context', () => {
  const { method, args, version } = captured('heartbeat');
  const message = heartbeat(INSTANCE, SERVICE_STATUS.building);
  expect(dated(message, () => Number(args['sent']))).toEqual({ method, args, context: {} });
  expect(version).toBe(CONDUCTOR_RPC_VERSION);
});

it('update_backup is as the real guest sends it, start and end', () => {
  const updates = casts.filter((cast) => cast.method === 'update_backup');
  const [start, end] = updates.map(({ context, args }) => {
    const message = updateBackup(context, INSTANCE, 'bk-1', {
      size: 0.11,
      state: args['state'] === 'BUILDING' ? 'BUILDING' : 'COMPLETED',
      backup_type: 'full',
      ...(args['state'] === 'COMPLETED' && {
        checksum: 'd41d8cd98f00b204e9800998ecf8427e',
        location: 'http://192.0.2.10:8080/v1/AUTH_1111/database_backups/bk-1.gz.enc',
        success: true,
      }),
    });
    expect(isOutcome(message)).toBe(args['state'] === 'COMPLETED');
    return dated(message, () => Number(args['sent']));
  });
  expect(start?.args).toEqual(updates[0]?.args);
  expect(end?.args).toEqual(updates[1]?.args);
  expect(end?.context).toBe(updates[1]?.context);
});

describe('notify_end', () => {
  it('is as the real guest sends it', () => {
    const cast = captured('notify_end');
    const { method, args, context } = cast;
    expect(notifyEnd(requestContext(cast), INSTANCE)).toEqual({ method, args, context });
  });

  it('has one object in the arguments and in the context', () => {
    const message = notifyEnd({ trove_notification: { request_id: 'r' } }, INSTANCE);
    expect(message?.context['trove_notification']).toBe(message?.args['serialized_notification']);
  });

  it('leaves the context of the request as it was', () => {
    const context = { trove_notification: { request_id: 'r' } };
    notifyEnd(context, INSTANCE);
    expect(context).toEqual({ trove_notification: { request_id: 'r' } });
  });

  it.each([{}, { trove_notification: null }, { trove_notification: 'text' }])(
    'is not sent when Trove did not ask for it: %j',
    (context) => {
      expect(notifyEnd(context, INSTANCE)).toBeNull();
      expect(notifyExcInfo(context, INSTANCE, 'failed', [])).toBeNull();
    },
  );
});

describe('notify_exc_info', () => {
  it('is as the real guest sends it', () => {
    const cast = captured('notify_exc_info');
    const { method, args, context } = cast;
    const lines = args['exception'] as string[];
    expect(notifyExcInfo(requestContext(cast), INSTANCE, 'prepare failed', lines)).toEqual({
      method,
      args,
      context,
    });
  });

  it('cuts the message to what the table of faults holds, between characters', () => {
    const context = { trove_notification: {} };
    const message = (text: string): string =>
      String(notifyExcInfo(context, INSTANCE, text, [])?.args['message']);
    expect(message('x'.repeat(255))).toBe('x'.repeat(255));
    expect(message('x'.repeat(256))).toBe(`${'x'.repeat(254)}…`);
    expect(message('😀'.repeat(300))).toBe(`${'😀'.repeat(254)}…`);
  });
});
