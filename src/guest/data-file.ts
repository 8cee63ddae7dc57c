import { AgentError } from '../base/errors.ts';
import type { Reconciler } from '../node/reconciler.ts';

/**
 * The k2h file that this node keeps its data in, by its role. Throws AgentError when it keeps none;
 * Interrupted when the agent ends.
 */
export async function dataFileOf(reconciler: Pick<Reconciler, 'until'>): Promise<string> {
  const { desired, observed } = await reconciler.until(() => true);
  if (desired.phase !== 'prepared') throw none('prepare is not over, or has failed');
  if (desired.parameters === null) throw none('it is a member of no cluster');
  const { k2h, problem } = observed.seen.role;
  if (k2h !== null) return k2h.file;
  throw none(problem ?? 'its cluster keeps the data in memory (K2HTYPE or K2HFILE of the role)');
}

function none(why: string): AgentError {
  return new AgentError(`this instance has no data to back up: ${why}`);
}
