import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Interrupted } from '../../src/node/interrupted.ts';
import { plan } from '../../src/node/plan/plan.ts';
import { RESTORE_FIRST } from '../../src/node/plan/start.ts';
import { checkRestore, restoreFirst } from '../../src/guest/restore-first.ts';
import type { Snapshot } from '../../src/node/reconciler.ts';
import { k2hTargetOf } from '../../src/role/k2h-target.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Secrets } from '../../src/base/secrets.ts';
import { silentLog } from '../helpers/recording-log.ts';
import { PLAIN_STORAGE } from '../helpers/storage-config.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { desiredState, nothingRuns, ROLE, RUNS, TIMES } from '../node/builders.ts';

const BACKUP_INFO = {
  id: 'b-1',
  location: 'http://127.0.0.1:9/v1/AUTH_p/c/b-1.gz',
  checksum: 'a'.repeat(32),
};
const CONTEXT = { auth_token: 'token', project_id: 'p' };

describe('the plan of a node that restores', () => {
  const desired = desiredState({ phase: 'preparing', restoring: 'b-1' });

  it('registers and publishes the ini, then waits with the programs', () => {
    const step = (change: Parameters<typeof nothingRuns>[0]): unknown =>
      plan(desired, nothingRuns(change), TIMES);
    expect(step({ role: { ...ROLE, ini: null, lacksSelf: true } })).toMatchObject({
      action: { do: 'register' },
    });
    expect(step({ iniPublished: false })).toMatchObject({ action: { do: 'publish-ini' } });
    expect(step({})).toBe(RESTORE_FIRST);
    expect(plan({ ...desired, restoring: null }, nothingRuns(), TIMES)).toMatchObject({
      action: { do: 'start-chmpx' },
    });
  });

  it('stops what still runs from before', () => {
    const old = { ...RUNS, generation: 'older' };
    expect(plan(desired, nothingRuns({ k2hdkc: old }), TIMES)).toMatchObject({
      action: { do: 'stop-k2hdkc' },
    });
    expect(plan(desired, nothingRuns({ chmpx: old }), TIMES)).toMatchObject({
      action: { do: 'stop-chmpx' },
    });
  });
});

describe('checkRestore', () => {
  it('says which backup it is, or why it cannot be', () => {
    expect(checkRestore({ backupInfo: BACKUP_INFO, context: CONTEXT })).toBe('b-1');
    const noToken = { backupInfo: BACKUP_INFO, context: { project_id: 'p' } };
    expect(() => checkRestore(noToken)).toThrow('has no auth_token');
    const noChecksum = { backupInfo: { ...BACKUP_INFO, checksum: null }, context: CONTEXT };
    expect(() => checkRestore(noChecksum)).toThrow('checksum is missing');
  });
});

describe('restoreFirst', () => {
  const desired = desiredState({ phase: 'preparing', restoring: 'b-1' });

  function start(
    snapshot: Partial<Snapshot>,
    { timeoutMs = 10_000, ending = new AbortController().signal } = {},
  ): Promise<void> {
    const parts = {
      storage: PLAIN_STORAGE,
      k2hlinetool: '/no/k2hlinetool',
      toolUser: null,
      reconciler: {
        wish: () => Promise.reject(new Error('nothing was restored')),
        until: (done: (snapshot: Snapshot) => boolean) => {
          const seen = {
            desired,
            observed: nothingRuns(),
            state: 'starting' as const,
            step: RESTORE_FIRST,
            ...snapshot,
          };
          if (!done(seen)) throw new Error('not yet');
          return Promise.resolve(seen);
        },
      },
      timeoutMs,
      dataFolders: () => [],
      ending,
      clock: systemClock,
      random: () => 0.5,
      secrets: new Secrets(),
      log: silentLog,
    };
    return restoreFirst(parts, { backupInfo: BACKUP_INFO, context: CONTEXT });
  }

  it('waits until the programs would start', async () => {
    const step = { kind: 'wait', why: 'reading the role' } as const;
    await expect(start({ step })).rejects.toThrow('not yet');
  });

  it('refuses a cluster that keeps its data in memory', async () => {
    await expect(start({})).rejects.toThrow('keeps its data in memory');
  });

  it('gives up when its time is over, and when the agent ends', async () => {
    await expect(start({}, { timeoutMs: -1 })).rejects.toThrow(
      'the restore of backup b-1 was not over after -0.001 s',
    );
    const k2h = k2hTargetOf(
      new Map([
        ['K2HTYPE', 'file'],
        ['K2HFILE', path.join(await temporaryDirectory(), 'k2hdkc.k2h')],
      ]),
    );
    const observed = nothingRuns({ role: { ...ROLE, k2h } });
    await expect(start({ observed }, { ending: AbortSignal.abort() })).rejects.toThrow(Interrupted);
  });
});
