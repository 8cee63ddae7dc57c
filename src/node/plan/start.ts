import type { DesiredState } from '../desired-state.ts';
import type { Observed } from '../observed.ts';
import { planPrograms } from './programs.ts';
import { chmpxStarts } from './quiet-before-start.ts';
import { act, because, wait, type PlanTimes, type Step } from './step.ts';
import { planVolume } from './volume.ts';

/** All is set for the programs to start, but a backup is to be restored before. */
export const RESTORE_FIRST: Step = wait('the backup is restored first', 1_000);

/** From nothing to two programs in service, as far as the volume and K2HR3 allow. */
export function planStart(desired: DesiredState, observed: Observed, times: PlanTimes): Step {
  const volume = planVolume(observed);
  if (volume) return volume;
  const registration = planRegistration(desired, observed);
  // Programs that run already go on with the last good ini whatever K2HR3 says.
  if (registration && (registration.kind === 'do' || !observed.seen.chmpx)) return registration;
  if (observed.seen.role.ini !== null && !observed.seen.iniPublished && !chmpxStarts(observed)) {
    return act({ do: 'publish-ini' }, 'the role has changed');
  }
  return desired.restoring === null ? planPrograms(desired, observed, times) : RESTORE_FIRST;
}

function planRegistration(desired: DesiredState, observed: Observed): Step | null {
  const { role } = observed.seen;
  const { k2hr3RetryInMs, registrationSettlesInMs, networkProblem, k2hr3Problem } = observed.memory;
  if (desired.registration === null || role.lacksSelf) {
    const ms = Math.max(k2hr3RetryInMs, role.lacksSelf ? registrationSettlesInMs : 0);
    return ms > 0
      ? wait(`registering in K2HR3${because(networkProblem ?? k2hr3Problem ?? role.problem)}`, ms)
      : act(
          { do: 'register' },
          `${role.lacksSelf ? 'the ring lacks this node' : 'not registered yet'}${because(k2hr3Problem)}`,
        );
  }
  return role.ini === null ? wait(`reading the role${because(role.problem)}`) : null;
}
