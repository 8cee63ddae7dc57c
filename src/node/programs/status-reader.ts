import { messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { RingStatus } from '../../ring/status.ts';
import { readRingStatus, ToolMissingError } from '../../ring/tools.ts';
import type { SystemUser } from '../../host/system-user.ts';

/** A tool that takes longer than this hangs (ms). */
const STATUS_TIMEOUT_MS = 5_000;

/** Reads the status; a tool that cannot be used is logged once per reason and means: not known. */
export function statusReader(
  command: string,
  conf: string,
  user: SystemUser | null,
  log: Logger,
): { read: () => Promise<RingStatus | null>; problem: () => string | null } {
  let complaint = '';
  let problem: string | null = null;
  const read = async (): Promise<RingStatus | null> => {
    try {
      const as = user ?? undefined;
      const status = await readRingStatus({
        command,
        conf,
        timeoutMs: STATUS_TIMEOUT_MS,
        user: as,
      });
      complaint = '';
      problem = null;
      return status;
    } catch (error) {
      if (messageOf(error) !== complaint) {
        complaint = messageOf(error);
        log.warn({ reason: complaint }, 'the status of chmpx is not known');
      }
      // Any other failure can be one of chmpx, whose shared memory the tool reads.
      problem = error instanceof ToolMissingError ? complaint : null;
      return null;
    }
  };
  return { read, problem: () => problem };
}
