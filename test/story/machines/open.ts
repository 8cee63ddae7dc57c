import path from 'node:path';
import { Lab } from '../../peers/vm/lab.ts';
import { namespacesPermitted } from '../../peers/vm/permitted.ts';
import type { Programs } from '../programs.ts';
import { LabMachines } from './lab-machines.ts';
import { LoopbackMachines } from './loopback-machines.ts';
import type { Machines } from './machine.ts';

/**
 * Simulated VMs; where they are not permitted, or for `loopback`, loopback addresses, with an
 * `environment` for the stand-ins.
 *
 * @throws Error for real programs where simulated VMs are not permitted, with the reason.
 */
export async function openMachines(
  directory: string,
  programs: Programs,
  { loopback }: { loopback: boolean },
  environment: Record<string, string> = {},
): Promise<Machines> {
  const folder = path.dirname(programs.program('chmpx'));
  const problem = loopback ? 'not wanted' : namespacesPermitted();
  if (problem === null) return new LabMachines(await Lab.open(directory, { programs: folder }));
  if (programs.kind === 'real programs') {
    throw new Error(
      `a cluster of real programs needs simulated VMs, which this machine does not permit ` +
        `(${problem}): try --stand-ins`,
    );
  }
  return new LoopbackMachines({ directory, programs: folder, reason: problem, environment });
}
