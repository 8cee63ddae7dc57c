import type { Random } from '../../../src/base/backoff.ts';
import type { Clock } from '../../../src/base/clock.ts';
import type { Logger } from '../../../src/base/log.ts';
import { createRingChanges, leaveLimits } from '../../../src/app/node/node-ring-changes.ts';
import { reconcilerTimes } from '../../../src/app/node/reconciler-times.ts';
import type { AgentConfig } from '../../../src/config/schema.ts';
import type { DesiredState, DesiredStateStore } from '../../../src/node/desired-state.ts';
import type { Memory, Observed, Seen } from '../../../src/node/observed.ts';
import { isStopped, serves, wantedLeave } from '../../../src/node/plan/wants.ts';
import type { Action } from '../../../src/node/plan/step.ts';
import { RestartPolicy } from '../../../src/node/programs/restart-policy.ts';
import { untilSuspended } from '../../../src/node/programs/until-suspended.ts';
import { Reconciler, type Node, type Snapshot } from '../../../src/node/reconciler.ts';
import { refusal, type LeaveKind } from '../../../src/ring/change/leave.ts';
import { OwnMerge } from '../../../src/ring/change/own-merge.ts';
import type { Order } from '../../../src/ring/change/merge-order.ts';
import type { RingChanges } from '../../../src/ring/change/ring-changes.ts';
import { membersSeen } from '../../../src/ring/ring-members.ts';
import { RingSight } from '../../../src/ring/sight.ts';
import type { RingStatus } from '../../../src/ring/status.ts';
import { PARAMETERS, registrationFor, ROLE } from '../../node/builders.ts';
import { AgentClock } from './agent-clock.ts';
import type { Disk } from './disk.ts';
import type { Hosts } from './hosts.ts';
import type { Machine, ProgramName } from './machine.ts';
import { Programs } from './programs.ts';
import type { RingModel } from './ring-model.ts';

/**
 * A server that merges is looked at so often, or it does not count as watched (OwnMerge), and one that leaves,
 * because its time is limited (ms).
 */
const WATCHED_MS = 900;
/** As in ClusterNode (ms). */
const ORPHAN_PATIENCE_MS = 300;

/** What an agent is started with. */
export interface AgentOptions {
  machine: Machine;
  ring: RingModel;
  hosts: Hosts;
  /** What is on the machine's disk. */
  disk: Disk;
  cluster: AgentConfig['cluster'];
  send: (order: Order) => Promise<string>;
  clock: Clock;
  random: Random;
  log: Logger;
  /** After each of its looks. */
  onLook: (agent: Agent, snapshot: Snapshot) => void;
  /** It has tried to leave the ring, for so long (ms). */
  onLeave: (machine: Machine, kind: LeaveKind, ms: number) => void;
  /** It takes its machine out of the role. */
  onUnregister: (machine: Machine) => void;
}

/** Stopped, and in no role any more (`Wishes`). */
export function hasLeft({ observed, step }: Snapshot): boolean {
  return isStopped(observed) && step.kind !== 'do';
}

/** Why the node cannot leave its ring; null: it can, or has. */
export function refusalOf({ observed }: Snapshot): string | null {
  return refusal(observed.memory.leave);
}

/**
 * The agent of one machine: the real reconciler, plan, leads and leave, with the model of the ring for
 * eyes and hands. What ClusterNode does beyond that (K2HR3, files, volumes) is left out.
 */
export class Agent implements Node {
  readonly machine: Machine;
  readonly reconciler: Reconciler;
  readonly #options: AgentOptions;
  readonly #clock: AgentClock;
  readonly #programs: Programs;
  readonly #restarts: RestartPolicy;
  readonly #sight: RingSight;
  readonly #changes: RingChanges;
  #leaves = false;

  constructor(options: AgentOptions) {
    const { machine, ring, hosts, cluster, random, log, disk } = options;
    this.#options = options;
    this.machine = machine;
    const longest = (): number => (machine.incoming || this.#leaves ? WATCHED_MS : Infinity);
    const clock = (this.#clock = new AgentClock(options.clock, random, longest));
    this.#programs = new Programs(machine, hosts, clock);
    this.#restarts = new RestartPolicy({
      ...{ clock, random, log, loopAfter: cluster.crashes_until_crashed },
      backoff: {
        first: cluster.restart_first * 1000,
        second: cluster.restart_second * 1000,
        cap: cluster.restart_cap * 1000,
      },
    });
    const cpuMs = {
      chmpx: () => machine.cpuMs('chmpx', ring.now),
      k2hdkc: () => machine.cpuMs('k2hdkc', ring.now),
    };
    const hangAfter = { first: cluster.hang_after * 1000, cap: cluster.merge_limit * 1000 };
    const read = (): Promise<RingStatus | null> =>
      Promise.resolve(ring.luck.strikes('unreadable') ? null : ring.view(machine));
    this.#sight = new RingSight({
      ...{ clock, random, log, reader: { read, problem: () => null } },
      ownMerge: new OwnMerge({ cpuMs, hangAfter, clock }),
    });
    this.#changes = createRingChanges(cluster, {
      ...{ clock, random, log, record: disk, sight: this.#sight },
      control: { send: (order) => this.#send(order) },
      unfinished: disk.unfinished(clock, leaveLimits(cluster).good),
      role: () => ring.cuks,
    });
    this.reconciler = new Reconciler({
      ...{ clock, random, log, node: this, times: reconcilerTimes(cluster) },
      desired: disk as unknown as DesiredStateStore,
      onLook: () => {
        const { snapshot } = this.reconciler;
        if (snapshot && !clock.isDead) options.onLook(this, snapshot);
      },
    });
  }

  /** It starts, and takes over what runs. */
  run(): void {
    this.#programs.adopt('chmpx');
    this.#programs.adopt('k2hdkc');
    this.machine.onEnd = (program) => {
      this.#crashed(program);
    };
    void this.reconciler.run(new AbortController().signal);
  }

  /** SIGKILL. */
  kill(): void {
    this.#clock.kill();
    this.machine.onEnd = () => undefined;
  }

  /** Something else than before is wanted of this machine, or the same once more. */
  async wish(change: Partial<DesiredState>): Promise<void> {
    this.#changes.forgive();
    this.#restarts.forgive();
    await this.reconciler.wish(change);
  }

  /** Something that it can see has changed. */
  changed(): void {
    this.#clock.changed();
  }

  async observe(): Promise<Observed> {
    const runs = this.#programs.runs('chmpx');
    const status = runs ? await this.#sight.look() : this.#sight.blind();
    if (status) this.#options.disk.members = membersSeen(status) ?? this.#options.disk.members;
    const observed = { seen: this.#see(status), memory: this.#remember() };
    this.#restarts.seen(serves(this.#options.disk.current, observed));
    return observed;
  }

  async act(action: Action, signal: AbortSignal): Promise<void> {
    const { disk, ring, machine, onUnregister } = this.#options;
    const programs = this.#programs;
    switch (action.do) {
      case 'register':
        await disk.update({ registration: registrationFor(PARAMETERS) });
        ring.setRole(machine.id, true);
        return;
      case 'unregister':
        onUnregister(machine);
        await disk.update({ registration: null });
        ring.setRole(machine.id, false);
        return;
      case 'start-chmpx':
        this.#changes.starting(action.toLeave);
        programs.start('chmpx', action.generation);
        return;
      case 'start-k2hdkc':
        programs.start('k2hdkc', action.generation);
        return;
      case 'cure':
        return this.#changes.cure(action.command);
      case 'lead-merge':
        return this.#changes.lead(action.goal, signal);
      case 'leave-ring':
        return this.#leave(action, signal);
      case 'stop-k2hdkc':
        return programs.stop('k2hdkc', action.orphan ? ORPHAN_PATIENCE_MS : undefined);
      case 'stop-chmpx':
        return this.#stopChmpx();
      case 'restart-pair':
        this.#restarts.crashed(action.why);
        await programs.stop('k2hdkc');
        return action.hard ? programs.stop('chmpx', 0) : this.#stopChmpx();
      case 'end-shrink':
        return disk.update({ shrinking: null });
      case 'mount-volume':
      case 'publish-ini':
      case 'give-in':
        throw new Error(`nothing here asks for ${action.do}`);
    }
  }

  async #leave(
    { kind, waitsFor }: Action & { do: 'leave-ring' },
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, machine, onLeave } = this.#options;
    const begun = clock.monotonic();
    const areUp = (): boolean => this.#programs.runs('chmpx') && this.#programs.runs('k2hdkc');
    this.#leaves = true;
    await this.#changes.leave(kind, areUp, signal, waitsFor).finally(() => (this.#leaves = false));
    if (!this.#clock.isDead) onLeave(machine, kind, clock.monotonic() - begun);
  }

  #see(status: RingStatus | null): Seen {
    const { ring, disk, machine } = this.#options;
    const isIn = ring.role.has(machine.id);
    const others = ring.machines.filter(({ id }) => id !== machine.id && ring.role.has(id));
    const absent = others.filter(({ id, chmpx }) => id < machine.id && !chmpx?.up);
    const sinceMs = ring.now - ring.roleChangedAt;
    return {
      chmpx: this.#programs.view('chmpx'),
      k2hdkc: this.#programs.view('k2hdkc'),
      status,
      statusProblem: null,
      role: {
        ...ROLE,
        ini: disk.current.registration && isIn ? ROLE.ini : null,
        ...{ servers: ring.role.size, cuks: ring.cuks, ringStableMs: sinceMs },
      },
      neighbours: this.#programs.runs('chmpx')
        ? null
        : { up: others.length, absentBefore: absent.length, unaware: 0, settledMs: sinceMs },
      iniPublished: true,
      roll: this.#roll(sinceMs),
      volumeMounted: true,
      isLetIn: true,
      now: this.#clock.wall(),
    };
  }

  #remember(): Memory {
    const { disk } = this.#options;
    const programs = { chmpx: this.#programs.view('chmpx'), k2hdkc: this.#programs.view('k2hdkc') };
    const running = programs.chmpx !== null && programs.k2hdkc !== null;
    const wanted = wantedLeave(disk.current, programs);
    return {
      statusStableMs: this.#sight.ownStillMs,
      ringStillMs: this.#sight.ringStillMs,
      tieJitter: this.#sight.tieJitter,
      restartInMs: this.#restarts.waitMs,
      crashes: this.#restarts.crashes,
      crashLoops: this.#restarts.loops,
      crashReason: this.#restarts.reason,
      k2hr3Problem: null,
      otherCluster: null,
      k2hr3RetryInMs: 0,
      registrationSettlesInMs: 0,
      ...{ networkProblem: null, networkProblemMs: 0 },
      ...{ volumeProblem: null, volumeRetryInMs: 0, unreadMs: 0 },
      leave: this.#changes.leaveState({ running, crashLoops: this.#restarts.loops, wanted }),
      cureSentMs: this.#changes.cureSentMs,
      members: disk.members,
      joinRetryInMs: this.#changes.joinRetryInMs,
      mergeHangs: this.#sight.hangs,
      mergeHung: this.#sight.hung,
      giveIn: null,
    };
  }

  /** The programs run with older values than those of the role. */
  #roll(waitedMs: number): Seen['roll'] {
    const { ring, machine } = this.#options;
    const isOld = ({ chmpx }: Machine): boolean => chmpx !== null && chmpx.values < ring.values;
    if (!isOld(machine)) return null;
    const before = ring.machines.filter((one) => one.id < machine.id && isOld(one)).length;
    return { keys: ['MAXCHMPX'], waitedMs, before };
  }

  async #stopChmpx(): Promise<void> {
    const pollMs = this.#options.cluster.changing_status_interval * 1000;
    await untilSuspended({ sight: this.#sight, clock: this.#clock, pollMs });
    await this.#programs.stop('chmpx');
  }

  #crashed(program: ProgramName): void {
    if (!this.#programs.ended(program)) return;
    this.#restarts.crashed(`${program} ended by itself`, program);
    this.reconciler.interrupt();
  }

  /** What a dead agent waits for never comes. */
  #send(order: Order): Promise<string> {
    const never = new Promise<string>(() => undefined);
    return this.#options.send(order).finally(() => (this.#clock.isDead ? never : undefined));
  }
}
