import { describe, expect, it } from 'vitest';
import { BackupRecords } from '../../src/guest/backup-records.ts';
import { createBackup, type CreateBackupParts } from '../../src/guest/create-backup.ts';
import { Interrupted } from '../../src/node/interrupted.ts';
import { AgentError } from '../../src/base/errors.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Secrets } from '../../src/base/secrets.ts';
import type { ConductorMessage } from '../../src/trove/conductor-messages.ts';
import { silentLog } from '../helpers/recording-log.ts';
import { PLAIN_STORAGE } from '../helpers/storage-config.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const CONTEXT = {
  auth_token: 'a-token',
  project_id: 'p',
  trove_notification: { notification_classname: 'x.DBaaSBackupCreate' },
};
const INFO = { id: 'b-1', parent: null, swift_url: 'http://127.0.0.1:1/v1/AUTH_p' };

async function lab(changed: Partial<CreateBackupParts> = {}) {
  const directory = await temporaryDirectory();
  const posted: [string, ConductorMessage][] = [];
  const parts: CreateBackupParts = {
    instanceId: 'i-1',
    storage: PLAIN_STORAGE,
    k2hlinetool: '/no/k2hlinetool',
    toolUser: null,
    level: 1,
    segmentBytes: 2 ** 30,
    snapshotTimeoutMs: 1_000,
    pauses: { first: 1, cap: 1 },
    dataFile: () => Promise.resolve(`${directory}/data.k2h`),
    dataFolders: () => [directory],
    dataDirectory: directory,
    records: await BackupRecords.open(directory, silentLog),
    outbox: {
      postDurable: (id, message) => {
        posted.push([id, message]);
        return Promise.resolve();
      },
    },
    ending: new AbortController().signal,
    clock: systemClock,
    random: () => 0.5,
    secrets: new Secrets(),
    log: silentLog,
    ...changed,
  };
  const run = (info: Record<string, unknown> | null = INFO): Promise<void> =>
    createBackup(parts, { id: 'r-1', backupInfo: info, context: CONTEXT });
  const states = (): unknown[] => posted.map(([, { method, args }]) => args['state'] ?? method);
  return { directory, parts, posted, run, states };
}

describe('create_backup tells Trove', () => {
  it('BUILDING with the size, then FAILED once, and why', async () => {
    const { run, states, posted } = await lab();
    await expect(run()).rejects.toThrow(/ECONNREFUSED/);
    expect(states()).toEqual(['BUILDING', 'FAILED', 'notify_exc_info']);
    expect(posted[0]?.[1].args).toMatchObject({
      instance_id: 'i-1',
      backup_id: 'b-1',
      backup_type: 'full',
      size: expect.any(Number) as number,
    });
    expect(posted[1]?.[1].args).toMatchObject({ success: false });
    expect(posted[1]?.[1].args).not.toHaveProperty('location');
    expect(posted[2]?.[1].args['message']).toContain('ECONNREFUSED');
  });

  it.each([
    ['an incremental one', { ...INFO, parent: { location: 'x' } }, /no incremental backups/],
    ['one for the volume', { ...INFO, storage_driver: 'cinder' }, /storage_driver/],
  ])('that %s is FAILED', async (_, info, reason) => {
    const { run, states } = await lab();
    await expect(run(info)).rejects.toThrow(reason);
    expect(states()).toEqual(['BUILDING', 'FAILED', 'notify_exc_info']);
  });

  it('only by the notification when there is no id', async () => {
    const { run, states } = await lab();
    await expect(run(null)).rejects.toThrow(/cannot be used/);
    expect(states()).toEqual(['notify_exc_info']);
  });

  it('why a node has no data', async () => {
    const dataFile = (): Promise<string> => Promise.reject(new AgentError('no data here'));
    const { run, states } = await lab({ dataFile });
    await expect(run()).rejects.toThrow('no data here');
    expect(states()).toEqual(['BUILDING', 'FAILED', 'notify_exc_info']);
  });

  it('nothing yet when the agent ends, and BUILDING not once more', async () => {
    const ending = new AbortController();
    const { run, states, parts } = await lab({ ending: ending.signal });
    ending.abort(new Error('the agent ends'));
    await expect(run()).rejects.toBeInstanceOf(Interrupted);
    expect(states()).toEqual(['BUILDING']);
    expect(parts.records.current).toMatchObject({ id: 'r-1', starts: 1, outcome: null });
    await expect(run()).rejects.toBeInstanceOf(Interrupted);
    expect(states()).toEqual(['BUILDING']);
  });

  it('the same outcome again when the agent was killed before it had told', async () => {
    const { run, states, parts, directory, posted } = await lab();
    const outcome = { state: 'COMPLETED', checksum: 'abc', location: 'http://s/c/b-1.gz' } as const;
    await parts.records.begun({ accountUrl: 'http://s', container: 'c', backupId: 'b-1' });
    await parts.records.ended('r-1', outcome);
    await run();
    expect(states()).toEqual(['COMPLETED', 'notify_end']);
    expect(posted[0]?.[1].args).toMatchObject({ checksum: 'abc', success: true });
    const next = await BackupRecords.open(directory, silentLog);
    expect([next.current, next.known()]).toEqual([null, []]);
  });
});
