import type { NodeIni } from '../ini/text/node-ini.ts';
import type { K2hTarget } from '../backup/restore/restore-load.ts';
import type { ExpectedRing } from '../ring/expected-ring.ts';
import type { Neighbour } from '../ring/neighbours.ts';

/** What the role in K2HR3 says, as far as it was read and found sane. */
export interface RoleView extends ExpectedRing {
  /** The ini made from the newest sane document that holds this node; null before the first. */
  ini: NodeIni | null;
  /** The newest sane document does not hold this node: it must register (again). */
  lacksSelf: boolean;
  /** The folder of the data file that the ini names. */
  dataDirectory: string | null;
  /** The data file itself; null when the data is in memory only. */
  k2h: K2hTarget | null;
  /** How many servers the ring has. */
  servers: number;
  /** The servers besides this node. */
  neighbours: readonly Neighbour[];
  /** Why the newest document was refused, or why there is none; null when all is well. */
  problem: string | null;
}
