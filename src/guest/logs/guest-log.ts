import type { LogSource } from './log-source.ts';

/** The logs of this VM. */
export type LogName = 'agent' | 'chmpx' | 'k2hdkc';

/** A log that Trove's users can publish. */
export interface GuestLog {
  name: LogName;
  /** SYS: of the system, always enabled. USER: of the database. */
  type: 'SYS' | 'USER';
  /** Null when nothing keeps the log. */
  source: LogSource | null;
}
