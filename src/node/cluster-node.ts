import path from 'node:path';
import type { Random } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { publishIni } from '../ini/publish.ts';
import { statusWords, type RingStatus } from '../ring/status.ts';
import { makeSharedDirectory } from '../host/shared-directory.ts';
import type { DataVolume } from './data-volume.ts';
import type { DesiredStateStore } from './desired-state.ts';
import type { Registration } from '../role/registration.ts';
import type { Membership } from '../role/membership.ts';
import type { Neighbours, NeighbourView } from '../ring/neighbours.ts';
import type { Observed } from './observed.ts';
import type { RoleView } from '../role/role-view.ts';
import type { OwnMerge } from '../ring/change/own-merge.ts';
import { ringWords } from '../ring/change/merge-driver.ts';
import { serves } from './plan/wants.ts';
import type { Action } from './plan/step.ts';
import type { KeptProgram } from './programs/kept-program.ts';
import type { Node } from './reconciler.ts';
import type { RestartPolicy } from './programs/restart-policy.ts';
import type { LeaveKind, RingChanges } from '../ring/change/ring-changes.ts';
import type { RoleWatch } from '../role/role-watch.ts';
import { RollWatch } from './programs/roll-watch.ts';
import type { StartSite } from './programs/start-site.ts';
import { StrayWatch } from './programs/stray-watch.ts';
import type { UnreadWatch } from '../ring/watch/unread-watch.ts';
import { untilSuspended } from './programs/until-suspended.ts';
import type { GiveIn } from '../ring/watch/give-in.ts';
import type { RingSplit } from '../ring/watch/split-watch.ts';

/** What a node is made of. Times in milliseconds. */
export interface ClusterNodeParts {
  desired: DesiredStateStore;
  volume: Pick<DataVolume, 'look' | 'mount'>;
  chmpx: KeptProgram;
  k2hdkc: KeptProgram;
  restarts: RestartPolicy;
  membership: Membership;
  role: RoleWatch;
  iniFile: string;
  /** What makes the VM ready for a start. */
  site: Pick<StartSite, 'prepareChmpx' | 'prepareK2hdkc'>;
  readStatus: () => Promise<RingStatus | null>;
  /** Why the status cannot be read at all, whatever chmpx does; null when it can. */
  statusProblem: () => string | null;
  changes: RingChanges;
  neighbours: Neighbours;
  /** Sees a chmpx that does not read. */
  unread: Pick<UnreadWatch, 'unreadMs'>;
  /** Sees every status that is read. */
  ownMerge: OwnMerge;
  split: Pick<RingSplit, 'giveIn' | 'gaveIn'>;
  pollMs: number;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** A k2hdkc whose chmpx is gone has nothing left to do, and needs 1.3 to 1.5 s to find that out (ms). */
const ORPHAN_PATIENCE_MS = 300;

/** This VM's node: looks at it and takes one step at a time. */
export class ClusterNode implements Node {
  readonly #parts: ClusterNodeParts;
  readonly #rolls: RollWatch;
  readonly #strays: StrayWatch;
  #lastWords = '';
  #wordsSince = 0;
  #lastRing = '';
  #ringSince = 0;
  #tieJitter: number;
  /** The registration under which this node has served: the ring knows it. */
  #servedAs: Registration | null = null;

  constructor(parts: ClusterNodeParts) {
    this.#parts = parts;
    this.#tieJitter = parts.random();
    const { changes, restarts } = parts;
    this.#rolls = new RollWatch({ ...parts, left: () => changes.leaveOver || restarts.loops });
    this.#strays = new StrayWatch({ ...parts, programs: [parts.chmpx, parts.k2hdkc] });
  }

  async observe(): Promise<Observed> {
    const { chmpx, k2hdkc, restarts, membership, role, clock, desired, changes } = this.#parts;
    const status = chmpx.running ? await this.#parts.readStatus() : null;
    const now = clock.monotonic();
    this.#noteWords(status, now);
    this.#strays.look();
    const view = role.view();
    const { published, roll } = await this.#rolls.look(view.ini, status);
    const observed: Observed = {
      chmpx: chmpx.view(),
      k2hdkc: k2hdkc.view(),
      status,
      statusProblem: this.#parts.statusProblem(),
      statusStableMs: now - this.#wordsSince,
      ringStillMs: now - this.#ringSince,
      role: view,
      neighbours: this.#lookAround(view),
      iniPublished: published,
      roll,
      volume: await this.#parts.volume.look(),
      restartInMs: restarts.waitMs,
      crashes: restarts.crashes,
      crashReason: restarts.reason,
      k2hr3RetryInMs: membership.retryInMs,
      registrationSettlesInMs: membership.settlesInMs,
      leaveOver: changes.leaveOver,
      leaveFailure: changes.leaveFailure,
      cureSentMs: changes.cureSentMs,
      joinRetryInMs: changes.joinRetryInMs,
      mergeHangs: this.#parts.ownMerge.hangs,
      mergeHung: this.#parts.ownMerge.hung,
      leaveAgain: changes.leaveAgain,
      unreadMs: this.#parts.unread.unreadMs,
      giveIn: this.#parts.split.giveIn?.why ?? null,
      tieJitter: this.#tieJitter,
      now: clock.wall(),
    };
    const serving = serves(desired.current, observed);
    if (serving) this.#servedAs = desired.current.registration;
    restarts.seen(serving);
    return observed;
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
    const { desired, chmpx, k2hdkc, membership, role, site, changes } = this.#parts;
    const { generation, parameters } = desired.current;
    switch (action) {
      case 'register':
        if (parameters) await membership.register(parameters, signal);
        role.registered();
        return;
      case 'unregister':
        return membership.unregister(signal);
      case 'mount-volume':
        return this.#parts.volume.mount();
      case 'publish-ini':
        return this.#publish();
      case 'start-chmpx':
        if (!changes.leaveAgain) changes.forget();
        role.hurry();
        return this.#start(chmpx, generation, () => site.prepareChmpx());
      case 'start-k2hdkc':
        return this.#start(k2hdkc, generation, () => site.prepareK2hdkc());
      case 'service-in':
        return changes.cure('SERVICEIN');
      case 'complete-merge':
        return changes.cure('COMPMERGE');
      case 'join-ring':
        return changes.lead('join', signal);
      case 'finish-merge':
        return changes.lead('finish', signal);
      case 'leave-ring':
        return this.#leave(desired.current.stopped === null ? 'good' : 'stop', signal);
      case 'leave-to-restart':
        return this.#leave('restart', signal);
      case 'stop-k2hdkc':
        return k2hdkc.stop(chmpx.running ? undefined : ORPHAN_PATIENCE_MS);
      case 'stop-chmpx':
        return this.#stopChmpx();
      case 'restart-pair':
        return this.#restartPair();
      case 'give-in':
        return this.#restartPair(this.#parts.split.gaveIn());
      case 'end-shrink':
        return desired.update({ shrinking: null });
    }
  }

  #leave(why: LeaveKind, signal: AbortSignal): Promise<void> {
    return this.#parts.changes.leave(why, () => this.#parts.chmpx.running !== null, signal);
  }

  /** The wish has changed: a leave that failed, and crashes, are no longer held against it. */
  startAfresh(): void {
    this.#parts.changes.forget();
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
  async #restartPair(giveIn?: GiveIn): Promise<void> {
    const { chmpx, k2hdkc, restarts, ownMerge } = this.#parts;
    const hangs = ownMerge.hangs || ownMerge.hung;
    const still = `no progress, last seen as ${this.#lastWords || 'without a status'}`;
    restarts.crashed(giveIn?.why ?? still);
    restarts.pause(giveIn?.holdMs ?? 0);
    await k2hdkc.stop();
    // One that looks for an answer takes no HUP before it has given up.
    await (hangs ? chmpx.stop(0) : this.#stopChmpx());
  }

  async #stopChmpx(): Promise<void> {
    const { chmpx, desired, readStatus } = this.#parts;
    // A slave has no k2hdkc that its chmpx could miss.
    if (desired.current.mode !== 'slave') await untilSuspended(readStatus, this.#parts);
    await chmpx.stop();
  }

  #noteWords(status: RingStatus | null, now: number): void {
    if (!this.#parts.chmpx.running) this.#parts.ownMerge.forget();
    const ring = status ? ringWords(status) : '';
    if (ring !== this.#lastRing) {
      this.#ringSince = now;
      this.#tieJitter = this.#parts.random();
    }
    this.#lastRing = ring;
    const words = status ? statusWords(status.self) : '';
    if (words === this.#lastWords) return;
    this.#parts.log.info({ status: words || 'none' }, 'chmpx status');
    this.#lastWords = words;
    this.#wordsSince = now;
  }
}
