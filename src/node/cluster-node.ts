import path from 'node:path';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { publishIni } from '../ini/text/publish.ts';
import { makeSharedDirectory } from '../host/shared-directory.ts';
import type { DataVolume } from './data-volume.ts';
import type { DesiredStateStore } from './desired-state.ts';
import type { Registration } from '../role/registration.ts';
import type { Membership } from '../role/membership.ts';
import type { RingPlace } from '../network/ring-place.ts';
import type { Neighbours, NeighbourView } from '../ring/neighbours.ts';
import type { Memory, Observed, Seen } from './observed.ts';
import type { RoleView } from '../role/role-view.ts';
import { serves, wantedLeave } from './plan/wants.ts';
import type { Action, PairRestart } from './plan/step.ts';
import type { KeptProgram } from './programs/kept-program.ts';
import type { Node } from './reconciler.ts';
import type { RestartPolicy } from './programs/restart-policy.ts';
import { IDLE, isOver, type Leave } from '../ring/change/leave.ts';
import type { RingChanges } from '../ring/change/ring-changes.ts';
import type { RingStatus } from '../ring/status.ts';
import type { RingMembers } from '../ring/ring-members.ts';
import type { RingSight } from '../ring/sight.ts';
import type { RoleWatch } from '../role/role-watch.ts';
import { RollWatch } from './programs/roll-watch.ts';
import type { StartSite } from './programs/start-site.ts';
import { StrayWatch } from './programs/stray-watch.ts';
import type { UnreadWatch } from '../ring/watch/unread-watch.ts';
import { untilSuspended } from './programs/until-suspended.ts';
import type { Refusals } from '../ring/watch/refusals.ts';
import type { SplitWatch } from '../ring/watch/split-watch.ts';

/** What a node is made of. Times in milliseconds. */
export interface ClusterNodeParts {
  desired: DesiredStateStore;
  volume: Pick<DataVolume, 'isMounted' | 'problem' | 'retryInMs' | 'mount'>;
  chmpx: KeptProgram;
  k2hdkc: KeptProgram;
  restarts: RestartPolicy;
  membership: Membership;
  role: RoleWatch;
  /** Where the ring is, as this VM's networks are. */
  place: Pick<RingPlace, 'view' | 'look'>;
  iniFile: string;
  /** What makes the VM ready for a start. */
  site: Pick<StartSite, 'prepareChmpx' | 'prepareK2hdkc'>;
  sight: RingSight;
  changes: RingChanges;
  /** Remembers who was in the ring. */
  members: Pick<RingMembers, 'look' | 'of'>;
  neighbours: Neighbours;
  /** Sees a chmpx that does not read. */
  unread: Pick<UnreadWatch, 'unreadMs'>;
  split: Pick<SplitWatch, 'giveIn' | 'gaveIn'>;
  /** Sees servers that have refused this slave; null on a server. */
  refusals: Pick<Refusals, 'giveIn' | 'gaveIn' | 'hasLetIn'> | null;
  pollMs: number;
  clock: Clock;
  log: Logger;
}

/** A k2hdkc whose chmpx is gone has nothing left to do, and needs 1.3 to 1.5 s to find that out (ms). */
const ORPHAN_PATIENCE_MS = 300;

/** This VM's node: looks at it and takes one step at a time. */
export class ClusterNode implements Node {
  readonly #parts: ClusterNodeParts;
  readonly #rolls: RollWatch;
  readonly #strays: StrayWatch;
  #leave: Leave = IDLE;
  /** The registration under which this node has served: the ring knows it. */
  #servedAs: Registration | null = null;

  constructor(parts: ClusterNodeParts) {
    this.#parts = parts;
    const { restarts } = parts;
    this.#rolls = new RollWatch({
      ...parts,
      left: () => isOver(this.#leave) || restarts.loops,
    });
    this.#strays = new StrayWatch({ ...parts, programs: [parts.chmpx, parts.k2hdkc] });
  }

  async observe(): Promise<Observed> {
    const { chmpx, sight, desired, restarts, members } = this.#parts;
    const status = chmpx.running ? await sight.look() : sight.blind();
    const { registration } = desired.current;
    if (status && registration) await members.look(status, registration.parametersKey);
    this.#settleLeave();
    this.#strays.look();
    await this.#parts.place.look();
    const observed = { seen: await this.#look(status), memory: this.#remember() };
    const serving = serves(desired.current, observed);
    if (serving) this.#servedAs = desired.current.registration;
    restarts.seen(serving);
    return observed;
  }

  async #look(status: RingStatus | null): Promise<Seen> {
    const { chmpx, k2hdkc, role, sight, volume, refusals, clock } = this.#parts;
    const view = role.view();
    const { published, roll } = await this.#rolls.look(view.ini, status);
    return {
      chmpx: chmpx.view(),
      k2hdkc: k2hdkc.view(),
      status,
      statusProblem: sight.problem,
      role: view,
      neighbours: this.#lookAround(view),
      iniPublished: published,
      roll,
      volumeMounted: await volume.isMounted(),
      isLetIn: refusals === null || (status !== null && refusals.hasLetIn(status.chmpxPid)),
      now: clock.wall(),
    };
  }

  #remember(): Memory {
    const { restarts, membership, volume, unread, changes, sight, split, refusals } = this.#parts;
    const { members, desired, place } = this.#parts;
    const { problem: networkProblem, problemMs: networkProblemMs } = place.view;
    return {
      statusStableMs: sight.ownStillMs,
      ringStillMs: sight.ringStillMs,
      tieJitter: sight.tieJitter,
      restartInMs: restarts.waitMs,
      crashes: restarts.crashes,
      crashLoops: restarts.loops,
      crashReason: restarts.reason,
      k2hr3Problem: membership.problem,
      otherCluster: membership.refusalOf(desired.current.parameters),
      k2hr3RetryInMs: membership.retryInMs,
      registrationSettlesInMs: membership.settlesInMs,
      networkProblem,
      networkProblemMs,
      volumeProblem: volume.problem,
      volumeRetryInMs: volume.retryInMs,
      unreadMs: unread.unreadMs,
      leave: this.#leave,
      cureSentMs: changes.cureSentMs,
      members: members.of(desired.current.registration?.parametersKey),
      joinRetryInMs: changes.joinRetryInMs,
      mergeHangs: sight.hangs,
      mergeHung: sight.hung,
      giveIn: refusals?.giveIn ?? split.giveIn,
    };
  }

  /** Once for each look: what has become of a leave that nobody works on. */
  #settleLeave(): void {
    const { chmpx, k2hdkc, changes, desired, restarts } = this.#parts;
    const programs = { chmpx: chmpx.view(), k2hdkc: k2hdkc.view() };
    const wanted = wantedLeave(desired.current, programs);
    const crashLoops = restarts.loops;
    this.#leave = changes.leaveState({ running: this.#areUp, crashLoops, wanted });
  }

  get #areUp(): boolean {
    const { chmpx, k2hdkc } = this.#parts;
    return chmpx.running !== null && k2hdkc.running !== null;
  }

  /** Who has a chmpx already, and knows this node: asked only while this node has none. */
  #lookAround({ ini, neighbours, ringIsNew }: RoleView): NeighbourView | null {
    const { chmpx, neighbours: around, desired } = this.#parts;
    if (chmpx.running) around.forget();
    if (chmpx.running || ini === null) return null;
    const { registration, mode } = desired.current;
    if (!ringIsNew || this.#servedAs === registration) return around.look(neighbours, undefined);
    return around.look(neighbours, mode === 'slave' ? null : registration?.cuk);
  }

  async act(action: Action, signal: AbortSignal): Promise<void> {
    const { desired, chmpx, k2hdkc, membership, role, site, changes, volume } = this.#parts;
    switch (action.do) {
      case 'register': {
        const { parameters } = desired.current;
        if (parameters) await membership.register(parameters, signal);
        role.registered();
        return;
      }
      case 'unregister':
        return membership.unregister(signal);
      case 'mount-volume':
        return volume.mount();
      case 'publish-ini':
        return this.#publish();
      case 'start-chmpx':
        changes.starting(action.toLeave);
        role.hurry();
        return this.#start(chmpx, action.generation, () => site.prepareChmpx());
      case 'start-k2hdkc':
        return this.#start(k2hdkc, action.generation, () => site.prepareK2hdkc());
      case 'cure':
        return changes.cure(action.command);
      case 'lead-merge':
        return changes.lead(action.goal, signal);
      case 'leave-ring':
        return changes.leave(action.kind, () => this.#areUp, signal, action.waitsFor);
      case 'stop-k2hdkc':
        return k2hdkc.stop(action.orphan ? ORPHAN_PATIENCE_MS : undefined);
      case 'stop-chmpx':
        if (action.suspends) await untilSuspended(this.#parts);
        return chmpx.stop();
      case 'restart-pair':
        return this.#restartPair(action, 0);
      case 'give-in':
        this.#gaveIn();
        return this.#restartPair(action, action.holdMs);
      case 'end-shrink':
        return desired.update({ shrinking: null });
    }
  }

  #gaveIn(): void {
    const { split, refusals } = this.#parts;
    if (refusals?.giveIn) refusals.gaveIn();
    else split.gaveIn();
  }

  /** The wish has changed: a leave that failed, and crashes, are no longer held against it. */
  startAfresh(): void {
    this.#parts.changes.forgive();
    this.#parts.restarts.forgive();
  }

  async #publish(): Promise<void> {
    const { role, iniFile, log } = this.#parts;
    const wanted = role.view().ini;
    const ini = wanted === null ? null : await this.#rolls.publishable(wanted);
    if (ini === null) return;
    await makeSharedDirectory(path.dirname(iniFile));
    const written = await publishIni(iniFile, ini);
    if (written) log.info({ file: iniFile }, 'ini published');
  }

  /** One that somebody else has started, by hand say, is taken over and never doubled. */
  async #start(
    program: KeptProgram,
    generation: string,
    prepare: () => Promise<string | undefined>,
  ): Promise<void> {
    try {
      if (await program.adopt(generation)) return;
      const folder = await prepare();
      const readAtStart = await this.#rolls.atStart();
      await program.start(generation, { readAtStart, ...(folder && { folder }) });
    } catch (error) {
      this.#parts.restarts.crashed(messageOf(error));
      throw error;
    }
  }

  /** A pair that hangs is as good as one that crashed, and starts again after the same pause. */
  async #restartPair({ why, hard, suspends }: PairRestart, holdMs: number): Promise<void> {
    const { chmpx, k2hdkc, restarts } = this.#parts;
    restarts.crashed(why);
    restarts.pause(holdMs);
    await k2hdkc.stop();
    // One that looks for an answer takes no HUP before it has given up.
    if (hard) return chmpx.stop(0);
    if (suspends) await untilSuspended(this.#parts);
    return chmpx.stop();
  }
}
