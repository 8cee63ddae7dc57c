import {
  absentServers,
  changesPlacement,
  goneServers,
  mergePhase,
  missingMembers,
  waitingOutside,
  type MergePhase,
} from '../../ring/change/merge-phase.ts';
import { sameServer } from '../../ring/ring.ts';
import type { RingNode, RingStatus } from '../../ring/status.ts';
import type { Observed } from '../observed.ts';
import { act, PASSING_MS, restartPair, wait, type PlanTimes, type Step } from './step.ts';
import { TURN_MS, turnMs } from './turns.ts';

/** Between servers that are back at the same time (ms): their merges take 0.2 s. */
const BACK_TURN_MS = 1_000;
/** From the start of k2hdkc to the status that follows from it (ms); 292 MB may have to be written. */
const ATTACH_MS = 10_000;
const AGAIN = 'both start again';

/**
 * What a node with both programs does about its ring when merges are led by agents. Agents have
 * no channel to each other: all is judged by what chmpxstatus shows, and ties go by ring order and
 * jitter.
 * Null: nothing, the node serves in a quiet ring.
 */
export function planCoordinated(
  status: RingStatus,
  observed: Observed,
  times: PlanTimes,
): Step | null {
  const { self } = status;
  const phase = mergePhase(status);
  const turnAmong = (nodes: readonly RingNode[], step = TURN_MS): number =>
    turnMs(
      nodes.findIndex((node) => sameServer(node, self)),
      observed.memory.tieJitter,
      step,
    );
  const turn = turnAmong(status.servers);
  if (self.ring === 'SERVICE OUT') return planEntry(status, phase, observed, times);
  if (observed.memory.mergeHung && self.merge === 'Pending') {
    return restartPair(observed, `a merge was aborted because this node hung: ${AGAIN}`);
  }
  if (phase === 'quiet') {
    if (observed.memory.mergeHung && observed.memory.ringStillMs > TURN_MS + turn) {
      return restartPair(observed, `a merge was undone because this node hung: ${AGAIN}`);
    }
    const gone = goneServers(status, observed.seen.role.cuks);
    const isEarly = observed.memory.ringStillMs < times.coordinated.takeOverMs + turn;
    // MERGE would be refused, and the ring closed, until they are back.
    const mustWait = absentServers(status, observed.seen.role.cuks).length > 0;
    if (gone.length === 0 || isEarly || mustWait) return null;
    const names = gone.map(({ name }) => name).join(', ');
    return act(
      { do: 'lead-merge', goal: 'finish' },
      `no longer in the role, and down: taking ${names} out of the ring`,
    );
  }
  const ownStill = observed.memory.statusStableMs;
  const isClosing = phase === 'gathering' || phase === 'gathered'; // else SERVICEIN is refused
  const wasTakenOut = self.operation === 'DELETE' && self.merge === 'Pending';
  if (isClosing && wasTakenOut && ownStill > PASSING_MS) {
    return act(
      { do: 'cure', command: 'SERVICEIN' },
      'another agent took this node out of the ring and did not go on',
    );
  }
  if (isBack(status, observed) && !changesPlacement(status) && phase === 'gathered') {
    // Back at its own place: nobody else is concerned. Two that are back take turns.
    const back = status.servers.filter(({ merge }) => merge === 'Pending');
    return observed.memory.ringStillMs >= turnAmong(back, BACK_TURN_MS)
      ? act(
          { do: 'lead-merge', goal: 'finish' },
          'back in the ring: merging what was written meanwhile',
        )
      : wait('the ring merges');
  }
  const patience = phase === 'merging' ? times.coordinated.mergeMs : times.coordinated.takeOverMs;
  if (observed.memory.ringStillMs > patience + turn) {
    return act({ do: 'lead-merge', goal: 'finish' }, `nobody goes on with a merge (${phase})`);
  }
  return wait('the ring merges');
}

/** Pending since its k2hdkc has started; an aborted merge makes servers Pending that run for long. */
function isBack({ self }: RingStatus, { seen, memory }: Observed): boolean {
  const runningMs = seen.k2hdkc?.runningMs ?? 0;
  return self.merge === 'Pending' && runningMs - memory.statusStableMs < ATTACH_MS;
}

function planEntry(
  status: RingStatus,
  phase: MergePhase,
  observed: Observed,
  { coordinated, changeWaitMs }: PlanTimes,
): Step {
  const {
    statusStableMs: waited,
    ringStillMs,
    joinRetryInMs,
    mergeHung,
    tieJitter,
  } = observed.memory;
  if (phase !== 'quiet') {
    // A dead leader is replaced by a server that is in; when there is none, by this one.
    if (waited < changeWaitMs) return wait('another change of the ring runs');
    return act(
      { do: 'lead-merge', goal: 'join' },
      'another change of the ring does not end: joining anyway',
    );
  }
  // Outside it is in nobody's way: before the servers of the ring that hung too.
  if (mergeHung)
    return restartPair(observed, `the join was undone because this node hung: ${AGAIN}`);
  if (joinRetryInMs > 0) return wait('a join was undone: pausing', joinRetryInMs);
  const absent = absentServers(status, observed.seen.role.cuks);
  if (absent.length > 0) {
    const names = absent.map(({ name }) => name).join(', ');
    return wait(`${names} is down: joining when it is back, or out of the role`);
  }
  const outside = waitingOutside(status);
  const place = outside.findIndex((node) => sameServer(node, status.self));
  const anybodyIn = status.servers.some(({ ring }) => ring === 'SERVICE IN');
  // What they hold can be newer, and a cut shows like a VM that is off: never without them.
  const { members } = observed.memory;
  const missing = anybodyIn ? [] : missingMembers(status, members, observed.seen.role.cuks);
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    return wait(
      `making no ring without ${names}, which was in it with this node: it must be back, or out of the role`,
    );
  }
  const complete = anybodyIn || outside.length >= observed.seen.role.servers;
  if (!complete && waited < coordinated.gatherMs) return wait('others of this new ring start');
  if (Math.min(waited, ringStillMs) < turnMs(place, tieJitter))
    return wait('a server before this one joins first');
  return act(
    { do: 'lead-merge', goal: 'join' },
    anybodyIn ? 'joining the ring' : 'making the ring',
  );
}
