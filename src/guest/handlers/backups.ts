import type { GuestHandlers } from '../../trove/dispatcher.ts';
import { createBackup } from '../create-backup.ts';
import type { HandlerParts } from './parts.ts';

/** The methods about backups. They wait for one another, and nobody else waits for them. */
export function backupHandlers({
  backup,
  backups,
}: Pick<HandlerParts, 'backup' | 'backups'>): Pick<GuestHandlers, 'create_backup'> {
  return {
    create_backup: ({ backup_info: backupInfo }, { id, body, context, accepted }) =>
      backups.perform({
        name: 'create_backup',
        key: `create_backup ${id}`,
        entry: { id, body },
        accepted,
        limitMs: null,
        work: () => createBackup(backup, { id, backupInfo, context }),
      }),
  };
}
