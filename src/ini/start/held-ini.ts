import { nodeIni, type NodeIni } from '../text/node-ini.ts';
import { modelOf } from '../text/parse-role.ts';
import { NotWritableError } from '../text/render.ts';
import { sectionsOf } from '../text/sections.ts';
import { differingKeys, startKeys, withStartKeys, type StartKeys } from './start-keys.ts';

/**
 * The ini for programs that run: the model with the keys that must wait as the programs were started
 * with them. A chmpx that is told a larger MAXMQCLIENT would use queues that it does not have.
 *
 * @param started null when chmpx does not run: nothing has to wait.
 * @returns `ini` itself when nothing has to wait; null when no good one can be made of both.
 */
export function heldIni(ini: NodeIni, started: StartKeys | null): NodeIni | null {
  if (started === null) return ini;
  const sections = sectionsOf(ini.model);
  const held = differingKeys(started, startKeys(sections));
  if (held.length === 0) return ini;
  const made = withStartKeys(sections, started).map((section) => ({ ...section, line: 0 }));
  const reading = modelOf(made, []);
  if (!reading.ok) return null;
  try {
    return nodeIni(reading.model, { ...ini.comment, held });
  } catch (error) {
    if (!(error instanceof NotWritableError)) throw error;
    return null; // somebody else's file can have what this agent does not write
  }
}
