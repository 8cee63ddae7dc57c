import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { SystemUser } from '../host/system-user.ts';
import type { RingStatus } from './status.ts';
import { readRingStatus, ToolMissingError } from './tools.ts';

/** A tool that takes longer than this hangs (ms). */
const STATUS_TIMEOUT_MS = 5_000;

/** Reads what chmpxstatus says. */
export interface StatusReader {
  /** The ring; null when chmpx does not run, or when the tool cannot say. */
  read(): Promise<RingStatus | null>;
  /** Why the status cannot be read at all, whatever chmpx does; null when it can. */
  problem(): string | null;
}

/** A tool that cannot be used is logged once per reason. */
export function statusReader(
  command: string,
  conf: string,
  user: SystemUser | null,
  log: Logger,
): StatusReader {
  let complaint = '';
  let problem: string | null = null;
  const read = async (): Promise<RingStatus | null> => {
    try {
      const as = user ?? undefined;
      const timeoutMs = STATUS_TIMEOUT_MS;
      const status = await readRingStatus({ command, conf, timeoutMs, user: as });
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
