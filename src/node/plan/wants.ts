import { isServing } from '../../ring/status.ts';
import { parametersKey } from '../../role/registration.ts';
import type { DesiredState } from '../desired-state.ts';
import type { Observed } from '../observed.ts';

/** Whether chmpx and k2hdkc should run on this VM. */
export function wantsToServe(desired: DesiredState): boolean {
  return (
    desired.phase !== 'new' &&
    desired.phase !== 'failed' &&
    desired.parameters !== null &&
    desired.stopped === null &&
    desired.shrinking === null
  );
}

/** Whether the node serves, with the programs that it should serve with. */
export function serves(desired: DesiredState, observed: Observed): boolean {
  if (desired.mode === 'slave') {
    return observed.chmpx?.generation === desired.generation && observed.status?.self.live === 'UP';
  }
  return (
    observed.chmpx?.generation === desired.generation &&
    observed.k2hdkc?.generation === desired.generation &&
    observed.status !== null &&
    isServing(observed.status.self)
  );
}

/** Whether nothing of the database runs any more, nor starts once more in order to leave the ring. */
export function isStopped({ chmpx, k2hdkc, leaveAgain }: Observed): boolean {
  return chmpx === null && k2hdkc === null && !leaveAgain;
}

/** stop_db leaves the registration alone; a failed prepare and leaving for good end it. */
export function unregisters(desired: DesiredState): boolean {
  return (
    desired.registration !== null &&
    (desired.phase === 'failed' ||
      desired.parameters === null ||
      desired.shrinking !== null ||
      registeredElsewhere(desired))
  );
}

/** Whether what was registered is of another cluster than the wanted one. */
export function registeredElsewhere({ registration, parameters }: DesiredState): boolean {
  return registration !== null && registration.parametersKey !== parametersKey(parameters);
}

/** Whether a program runs that `restart` is to replace. */
export function runsOldGeneration(desired: DesiredState, { chmpx, k2hdkc }: Observed): boolean {
  return [chmpx, k2hdkc].some((program) => program && program.generation !== desired.generation);
}
