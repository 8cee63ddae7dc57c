import { NEW_NODE, type DesiredState } from '../../src/node/desired-state.ts';
import { parametersKey, type Registration } from '../../src/role/registration.ts';
import type { Memory, Observed, Seen } from '../../src/node/observed.ts';
import { IDLE, type Leave } from '../../src/ring/change/leave.ts';
import type { ProgramView } from '../../src/node/programs/kept-program.ts';
import type { RoleView } from '../../src/role/role-view.ts';
import type { PlanTimes, Step } from '../../src/node/plan/step.ts';
import { parseNodeStatus, type RingNode, type RingStatus } from '../../src/ring/status.ts';
import { iniOf } from '../ini/roles.ts';
import type { ClusterParameters } from '../../src/trove/overrides.ts';

export const PARAMETERS: ClusterParameters = {
  clusterName: 'mycluster',
  extdataUrl: 'http://192.0.2.1/v1/extdata/secret',
};
/** Another cluster than that of PARAMETERS. */
export const OTHER_PARAMETERS: ClusterParameters = { ...PARAMETERS, clusterName: 'another' };

/** The registration that was made for these parameters. */
export function registrationFor(parameters: ClusterParameters): Registration {
  return {
    apiUri: 'http://192.0.2.1',
    roleName: `yrn:yahoo:::tenant0:role:${parameters.clusterName}/server`,
    cuk: 'cuk-1',
    tag: 'node1.novalocal',
    extdataFingerprint: 'fingerprint',
    roleToken: 'role-token',
    tenant: 'yrn:yahoo:::tenant0',
    parametersKey: parametersKey(parameters),
  };
}

/** What a prepared and registered member of the cluster should be; `change` says what differs. */
export function desiredState(change: Partial<DesiredState> = {}): DesiredState {
  return {
    ...NEW_NODE,
    phase: 'prepared',
    parameters: PARAMETERS,
    registration: registrationFor(PARAMETERS),
    generation: 'g1',
    ...change,
  };
}

/** A status in chmpx's own words, such as `[SERVICE IN][UP][n/a][Nothing][NoSuspend]`. */
export const IN = '[SERVICE IN][UP][n/a][Nothing][NoSuspend]';
export const OUT = '[SERVICE OUT][UP][n/a][Nothing][NoSuspend]';
/** chmpx as it is before its k2hdkc comes. */
export const ALONE = '[SERVICE OUT][UP][n/a][Nothing][Suspend]';
export const JOINING = '[SERVICE IN][UP][ADD][Doing][NoSuspend]';
export const MERGING = '[SERVICE IN][UP][n/a][Doing][NoSuspend]';

function ringNode(name: string, words: string): RingNode {
  const status = parseNodeStatus(`SAFE -> ${words}`);
  return { name, cuk: `cuk-${name}`, seed: name, controlPort: 8021, ...status };
}

/** The ring as this node sees it: its own status and those of the other servers. */
export function ringStatus(self: string, ...others: string[]): RingStatus {
  const own = ringNode('self', self);
  const servers = [own, ...others.map((words, n) => ringNode(`other${n}`, words))];
  return { chmpxPid: 7, group: 'mycluster', self: own, servers, slaves: [], operating: false };
}

export const RUNS: ProgramView = { generation: 'g1', runningMs: 10_000 };
export const ROLE: RoleView = {
  ini: iniOf(),
  lacksSelf: false,
  dataDirectory: null,
  k2h: null,
  servers: 1,
  neighbours: [],
  cuks: new Set(),
  ringStableMs: 60_000,
  ringIsNew: false,
  problem: null,
};

const SEEN: Seen = {
  chmpx: RUNS,
  k2hdkc: RUNS,
  status: ringStatus(IN),
  statusProblem: null,
  role: ROLE,
  neighbours: { up: 0, absentBefore: 0, unaware: 0, settledMs: 60_000 },
  iniPublished: true,
  roll: null,
  volumeMounted: true,
  isLetIn: true,
  now: 1_000_000,
};
const MEMORY: Memory = {
  statusStableMs: 10_000,
  ringStillMs: 10_000,
  tieJitter: 0,
  restartInMs: 0,
  crashes: 0,
  crashLoops: false,
  crashReason: '',
  k2hr3Problem: null,
  otherCluster: null,
  k2hr3RetryInMs: 0,
  registrationSettlesInMs: 0,
  networkProblem: null,
  networkProblemMs: 0,
  volumeProblem: null,
  volumeRetryInMs: 0,
  unreadMs: 0,
  leave: IDLE,
  cureSentMs: null,
  members: new Set(),
  joinRetryInMs: 0,
  mergeHangs: false,
  mergeHung: false,
  giveIn: null,
};

/** What differs from a node that serves, in what is seen or in what is remembered. */
export type Change = Partial<Seen & Memory>;

/** What is observed of a node that serves, alone in its ring; `change` says what differs. */
export function observed(change: Change = {}): Observed {
  const all = { ...SEEN, ...MEMORY, ...change };
  const pick = <T extends object>(of: T): T =>
    Object.fromEntries(Object.keys(of).map((key) => [key, all[key as keyof typeof all]])) as T;
  return { seen: pick(SEEN), memory: pick(MEMORY) };
}

/** The same situation but for what `change` says. */
export function alter({ seen, memory }: Observed, change: Change): Observed {
  return observed({ ...seen, ...memory, ...change });
}

/** A step in short: `leave-ring good`, `cure SERVICEIN`, `lead-merge join`, `wait`, `rest`. */
export function told(step: Step): string {
  if (step.kind !== 'do') return step.kind;
  const { action } = step;
  if (action.do === 'cure') return `cure ${action.command}`;
  if (action.do === 'lead-merge') return `lead-merge ${action.goal}`;
  return action.do === 'leave-ring' ? `leave-ring ${action.kind}` : action.do;
}

/** The times of a plan, with merges by chmpx itself. */
export const TIMES: PlanTimes = {
  ringStableMs: 1_000,
  startSpacingMs: 1_500,
  startTimeoutMs: 60_000,
  stuckAfterMs: 5_000,
  changeWaitMs: 60_000,
  merge: 'automatic',
  coordinated: { gatherMs: 5_000, takeOverMs: 20_000, mergeMs: 300_000 },
};

/** What is seen when nothing runs. */
export function nothingRuns(change: Change = {}): Observed {
  return observed({ chmpx: null, k2hdkc: null, status: null, ...change });
}

/** A leave that ended with the data moved, that is to be done again, and that failed. */
export const LEFT: Leave = { is: 'left', kind: 'good', moved: true };
export const LEAVES_AGAIN: Leave = { is: 'restarting', kind: 'good', deadline: Infinity };
export const refused = (why: string, kind: 'restart' | 'good' = 'good'): Leave => ({
  is: 'refused',
  kind,
  why,
  retryAt: Infinity,
});
