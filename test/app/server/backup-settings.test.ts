import { expect, it } from 'vitest';
import { backupSettings } from '../../../src/app/server/backup-settings.ts';
import { configured } from '../configured.ts';

it('takes seconds as milliseconds and the size of a segment as bytes', async () => {
  const agentYaml = 'backup: { level: 7, segment_size: 3, snapshot_timeout: 5 }\n';
  expect(backupSettings(await configured({ agentYaml }))).toMatchObject({
    instanceId: 'g-1',
    k2hlinetool: 'k2hlinetool',
    level: 7,
    segmentBytes: 3 * 1024 * 1024,
    snapshotTimeoutMs: 5_000,
  });
});

it('finds the data where the volume is mounted, unless agent.yaml says otherwise', async () => {
  const guestAgent = '[k2hdkc]\nmount_point = /mnt/data';
  const mounted = await configured({ guestAgent });
  expect(backupSettings(mounted).dataDirectory).toBe('/mnt/data');
  const named = await configured({ guestAgent, agentYaml: '' });
  named.agent.paths.data_dir = '/srv/data';
  expect(backupSettings(named).dataDirectory).toBe('/srv/data');
});
