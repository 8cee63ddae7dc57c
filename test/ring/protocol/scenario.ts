import type { MergeMode } from '../../../src/ring/merge-mode.ts';
import type { Hang, ProgramName } from './machine.ts';
import type { Unkindness } from './luck.ts';

/** What happens to one machine, or is wanted of it, by its letter. Times in milliseconds. */
export type Happening =
  /** Trove prepares it: it registers, starts and joins. */
  | { do: 'prepare'; of: string }
  /** It is to be in the ring no longer: it leaves, unregisters and stops. */
  | { do: 'leave'; of: string }
  | { do: 'stop-db'; of: string }
  /** Trove's restart, which also ends a stop_db. */
  | { do: 'restart'; of: string }
  /** The role has new values, for which all servers must restart. */
  | { do: 'new-values' }
  | { do: 'crash'; of: string; program: ProgramName }
  | { do: 'kill-agent'; of: string; forMs: number }
  | { do: 'reboot'; of: string; forMs: number }
  /** The VM boots, and reaches no other for so long. */
  | { do: 'boot-cut-off'; of: string; forMs: number }
  /** The VM is gone for good. */
  | { do: 'die'; of: string }
  /** An operator takes a dead one out of the role. */
  | { do: 'take-out'; of: string }
  /** Its next merge hangs: an answer, or a request, is lost. */
  | { do: 'hang'; of: string; by: Hang };

export interface Event {
  at: number;
  what: Happening;
}

/** One run. */
export interface Scenario {
  seed: number;
  mode: MergeMode;
  /** The machines that there will be, by their letters: `abc`. */
  machines: string;
  /** Those that serve from the beginning; the others wait for `prepare`. */
  serving: string;
  unkindness: Unkindness;
  events: readonly Event[];
}

/** In one line, for a transcript. */
export function inWords(what: Happening): string {
  const parts: (string | number)[] = [what.do];
  if ('of' in what) parts.push(what.of);
  if ('program' in what) parts.push(what.program);
  if ('by' in what) parts.push(what.by);
  if ('forMs' in what) parts.push(`for ${(what.forMs / 1_000).toFixed(1)}`);
  return parts.join(' ');
}
