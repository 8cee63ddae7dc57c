import { isServing } from '../../ring/status.ts';
import { parametersKey } from '../../role/registration.ts';
import type { DesiredState } from '../desired-state.ts';
import type { Observed, Seen } from '../observed.ts';

type Programs = Pick<Seen, 'chmpx' | 'k2hdkc'>;

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
    return (
      observed.seen.chmpx?.generation === desired.generation &&
      observed.seen.status?.self.live === 'UP' &&
      observed.seen.isLetIn
    );
  }
  return (
    observed.seen.chmpx?.generation === desired.generation &&
    observed.seen.k2hdkc?.generation === desired.generation &&
    observed.seen.status !== null &&
    isServing(observed.seen.status.self)
  );
}

/** Whether nothing of the database runs any more, nor starts once more in order to leave the ring. */
export function isStopped({ seen: { chmpx, k2hdkc }, memory: { leave } }: Observed): boolean {
  return chmpx === null && k2hdkc === null && leave.is !== 'restarting';
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

/** The leave that the wish asks for while these programs run; null: it asks for none. */
export function wantedLeave(desired: DesiredState, programs: Programs): 'stop' | 'good' | null {
  const stays =
    wantsToServe(desired) && !registeredElsewhere(desired) && !runsOldGeneration(desired, programs);
  if (stays) return null;
  return desired.stopped === null ? 'good' : 'stop';
}

/** Whether what was registered is of another cluster than the wanted one. */
export function registeredElsewhere({ registration, parameters }: DesiredState): boolean {
  return registration !== null && registration.parametersKey !== parametersKey(parameters);
}

/** Whether a program runs that `restart` is to replace. */
export function runsOldGeneration(desired: DesiredState, { chmpx, k2hdkc }: Programs): boolean {
  return [chmpx, k2hdkc].some((program) => program && program.generation !== desired.generation);
}
