import { describe, expect, it } from 'vitest';
import { tellOfRefusedCast } from '../../src/guest/refused-cast.ts';
import type { DesiredState, Phase } from '../../src/node/desired-state.ts';
import type { ConductorMessage } from '../../src/trove/conductor-messages.ts';
import { notSupported } from '../../src/trove/exceptions.ts';
import type { JsonObject } from '../../src/trove/json.ts';
import { desiredState } from '../node/builders.ts';

const NOTIFIED = { trove_notification: { request_id: 'r' }, user: 'u' };

/** What becomes of a refused cast on a node in `phase`. */
async function refuse(
  method: string,
  args: JsonObject,
  { phase = 'prepared', context = {} }: { phase?: Phase; context?: JsonObject } = {},
) {
  const posted: ConductorMessage[] = [];
  const wishes: Partial<DesiredState>[] = [];
  await tellOfRefusedCast(
    { id: 'r-1', method, args, context, failure: notSupported(method, 'it is a test') },
    {
      instanceId: 'i-1',
      desired: () => desiredState({ phase }),
      reconciler: {
        wish: (change) => {
          wishes.push(change);
          return Promise.resolve();
        },
      },
      outbox: {
        postDurable: (_id, message) => {
          posted.push(message);
          return Promise.resolve();
        },
      },
    },
  );
  return { posted, wishes };
}

describe('a refused backup', () => {
  it('is FAILED, and Trove is notified after that', async () => {
    const args = { backup_info: { id: 'b-1', name: 'mine' } };
    const { posted } = await refuse('create_backup', args, { context: NOTIFIED });
    expect(posted.map(({ method }) => method)).toEqual(['update_backup', 'notify_exc_info']);
    expect(posted[0]).toEqual({
      method: 'update_backup',
      args: { instance_id: 'i-1', backup_id: 'b-1', state: 'FAILED' },
      context: NOTIFIED,
    });
  });

  it.each([{}, { backup_info: null }, { backup_info: 'b-1' }, { backup_info: { id: 5 } }])(
    'without an id is only notified: %j',
    async (args) => {
      const { posted } = await refuse('create_backup', args, { context: NOTIFIED });
      expect(posted.map(({ method }) => method)).toEqual(['notify_exc_info']);
    },
  );
});

describe('any other refused cast', () => {
  it('tells nobody when Trove does not ask to be told', async () => {
    expect(await refuse('create_user', { users: [] })).toEqual({ posted: [], wishes: [] });
  });

  it.each(['prepare', 'rebuild'])('that is a %s ends a new node as failed', async (method) => {
    const { wishes } = await refuse(method, {}, { phase: 'new' });
    expect(wishes).toHaveLength(1);
    expect(wishes[0]?.phase).toBe('failed');
    expect(wishes[0]?.failure).toContain('it is a test');
  });

  it.each(['prepare', 'rebuild'])('that is a %s changes no node that serves', async (method) => {
    expect((await refuse(method, {})).wishes).toEqual([]);
  });
});
