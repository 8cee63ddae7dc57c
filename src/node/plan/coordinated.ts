import {
  absentServers,
  changesPlacement,
  goneServers,
  mergePhase,
  missingMembers,
  waitingOutside,
  type MergePhase,
} from '../../ring/change/merge-phase.ts';
import { lostServers } from '../../ring/change/lost-servers.ts';
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
  const closed = planClosed(status, observed, times);
  if (closed) return closed;
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
  // A server that was the obstacle is out of the role only now: one leads, and not all who have waited.
  const isFree = goneServers(status, observed.seen.role.cuks).length > 0;
  const freeMs = isFree ? patience + observed.seen.role.ringStableMs : Infinity;
  if (Math.min(observed.memory.ringStillMs, freeMs) > patience + turn) {
    return act({ do: 'lead-merge', goal: 'finish' }, `nobody goes on with a merge (${phase})`);
  }
  return wait('the ring merges');
}

/**
 * What a node of a ring does that is closed because a server of it is down, while MERGE is refused. One
 * that sees nobody else is cut off, or the last: outside it joins whoever comes, and makes no ring alone.
 */
function planClosed(status: RingStatus, observed: Observed, times: PlanTimes): Step | null {
  const { seen, memory } = observed;
  const { cuks: role, replicas } = seen.role;
  const absent = absentServers(status, role);
  const phase = mergePhase(status);
  if (absent.length === 0 || (phase !== 'gathering' && phase !== 'gathered')) return null;
  const stillMs = memory.ringStillMs;
  const others = status.servers.filter((node) => !sameServer(node, status.self));
  const isAlone = others.every(({ live }) => live === 'DOWN');
  if (isAlone && stillMs > times.coordinated.takeOverMs) {
    return restartPair(observed, `the ring is closed, and no other server is to be seen: ${AGAIN}`);
  }
  if (lostServers(status, { role, replicas, stillMs }).length > 0) return null;
  const names = absent.map(({ name }) => name).join(', ');
  return wait(`the ring is closed while ${names} is down: it must be back, or out of the role`);
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
  const absent = absentServers(status, observed.seen.role.cuks);
  const down = absent.map(({ name }) => name).join(', ');
  if (phase !== 'quiet') {
    if (absent.length > 0) return wait(`the ring merges, and ${down} is down`);
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
  if (absent.length > 0) {
    return wait(`${down} is down: joining when it is back, or out of the role`);
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
