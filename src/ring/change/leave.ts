/** What a leave is for: stop_db, a restart with new values, or to be in the ring no longer. */
export type LeaveKind = 'stop' | 'restart' | 'good';

/**
 * How far this node is in leaving its ring.
 *
 *           begin              out; stop, restart: nothing runs
 *     idle ───────▶ leaving ────────────────────────────────────▶ left
 *      ▲   ▲ retryAt │ ▲ │ timeUp                                  ▲
 *      │   │         │ │ ├───────────────── stop: not moved ───────┤
 *      │ refused ◀───│─│─┘ restart, good                           │
 *      │         cut │ │ begin                                     │
 *      │       short ▼ │                                           │
 *      │       restarting ──── a crash loop ───────────────────────┘
 *      │             └──────── time up: as leaving
 *      └── from any state: the programs start to serve, or the wish is another one
 *
 * Times are of the monotonic clock, in milliseconds. One deadline is for all tries of a leave; it
 * goes on counting while both programs start again, and over a crash of the agent.
 */
export type Leave =
  | { is: 'idle' }
  /** The data moves, or waits to be moved. */
  | { is: 'leaving'; kind: LeaveKind; deadline: number }
  /** A program hung or crashed in the middle: both start again, and leave then. */
  | { is: 'restarting'; kind: LeaveKind; deadline: number }
  /** The programs may stop. Not moved: a server that is down, as after a crash. */
  | { is: 'left'; kind: LeaveKind; moved: boolean }
  /** The data could not be moved, and the programs run on. */
  | { is: 'refused'; kind: LeaveKind; why: string; retryAt: number };

export const IDLE: Leave = { is: 'idle' };

/** A restart is not urgent, and each try can close the ring: the next one comes so much later (ms). */
export const RESTART_AGAIN_MS = 900_000;

/** A leave begins, or goes on within the time that it has. */
export function begin(leave: Leave, kind: LeaveKind, now: number, limitMs: number): Leave {
  const goesOn = (leave.is === 'leaving' || leave.is === 'restarting') && leave.kind === kind;
  return { is: 'leaving', kind, deadline: goesOn ? leave.deadline : now + limitMs };
}

/** This node hung in the merge of its own leave. A restart has one try. */
export function cutShort(leave: Leave): Leave {
  return leave.is === 'leaving' && leave.kind !== 'restart'
    ? { ...leave, is: 'restarting' }
    : leave;
}

/** The node is out of the ring, or the last one in it. */
export function out(kind: LeaveKind): Leave {
  return { is: 'left', kind, moved: true };
}

/** A program is gone, and nothing says whether the data has moved: only a leave for good waits. */
export function gone(leave: Leave): Leave {
  if (leave.is !== 'leaving') return leave;
  return leave.kind === 'good' ? { ...leave, is: 'restarting' } : unmoved(leave.kind);
}

function unmoved(kind: LeaveKind): Leave {
  return { is: 'left', kind, moved: false };
}

/** The deadline has passed: stop_db goes on, the others stay in the ring. */
export function timeUp(kind: LeaveKind, why: string, now: number): Leave {
  if (kind === 'stop') return unmoved(kind);
  return {
    is: 'refused',
    kind,
    why,
    retryAt: kind === 'restart' ? now + RESTART_AGAIN_MS : Infinity,
  };
}

/** What a leave is judged by while nobody works on it. */
export interface LeaveScene {
  /** Whether both programs run. */
  running: boolean;
  /** They end again and again: nothing can be moved. */
  crashLoops: boolean;
  /** The leave that the wish asks for now; null: none. */
  wanted: LeaveKind | null;
}

/** What has become of a leave that nobody works on at this moment. */
export function settled(leave: Leave, scene: LeaveScene, now: number): Leave {
  const { running, crashLoops, wanted } = scene;
  if (leave.is === 'refused') return now < leave.retryAt ? leave : IDLE;
  if (leave.is === 'left' && leave.kind === 'good' && wanted !== 'good') return IDLE;
  if ((leave.is !== 'leaving' && leave.is !== 'restarting') || leave.kind === 'restart')
    return leave;
  if (leave.kind !== wanted) return IDLE;
  if (leave.is === 'leaving') return running ? leave : gone(leave);
  if (!running && crashLoops) return unmoved(leave.kind);
  if (now < leave.deadline) return leave;
  return timeUp(leave.kind, 'both programs did not start again in time', now);
}

/**
 * The wish was said again, or is another: what failed is no longer held against it. A leave under way
 * keeps its deadline, and one for good that is over is over; `settled` drops one that the wish does not
 * ask for.
 */
export function forgiven(leave: Leave): Leave {
  const isUnderWay = leave.is === 'restarting' || leave.is === 'leaving';
  const hasLeft = leave.is === 'left' && leave.kind === 'good';
  return hasLeft || (isUnderWay && leave.kind !== 'restart') ? leave : IDLE;
}

/** Whether nothing is left to do in the ring before the programs stop. */
export function isOver(leave: Leave): boolean {
  return leave.is === 'left' || (leave.is === 'refused' && leave.kind !== 'restart');
}

/** Why the ring could not be left; null when it could, or was not tried. */
export function refusal(leave: Leave): string | null {
  return leave.is === 'refused' ? leave.why : null;
}
