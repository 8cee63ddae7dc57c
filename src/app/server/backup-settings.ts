import type { CreateBackupParts } from '../../guest/create-backup.ts';
import type { Settings } from '../settings.ts';

/** What create_backup takes from the configuration. */
export function backupSettings({ agent: config, guest, storage, programUser }: Settings) {
  return {
    instanceId: guest.guestId,
    storage,
    k2hlinetool: config.programs.k2hlinetool,
    toolUser: programUser,
    level: config.backup.level,
    segmentBytes: config.backup.segment_size * 1024 ** 2,
    snapshotTimeoutMs: config.backup.snapshot_timeout * 1000,
    dataDirectory: config.paths.data_dir ?? guest.mountPoint,
  } satisfies Partial<CreateBackupParts>;
}
