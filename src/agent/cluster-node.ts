import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/clock.ts';
import { AgentError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { ControlPort } from '../cluster/control-port.ts';
import { publishIni } from '../cluster/publish.ts';
import { mustLeaveRing } from '../cluster/ring.ts';
import { statusWords, type RingStatus } from '../cluster/status.ts';
import { makeSharedDirectory } from '../host/shared-directory.ts';
import type { DesiredStateStore } from './desired-state.ts';
import type { Membership } from './membership.ts';
import type { Observed } from './observed.ts';
import { serves, type Action } from './plan.ts';
import type { KeptProgram } from './programs.ts';
import type { Node } from './reconciler.ts';
import type { RestartPolicy } from './restart-policy.ts';
import type { RoleWatch } from './role-watch.ts';
import type { StartSite } from './start-site.ts';

/** What a node is made of. Times in milliseconds. */
export interface ClusterNodeParts {
  desired: DesiredStateStore;
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
  controlPort: (port: number) => ControlPort;
  /** How long leaving the ring may take: for stop_db, and when the node leaves for good. */
  leaveLimits: { stopMs: number; goodMs: number };
  pollMs: number;
  clock: Clock;
  log: Logger;
}

/** How long chmpx gets to notice that its k2hdkc is gone (measured: 0.1 s). */
const SUSPEND_LIMIT_MS = 2_000;

/** This VM's node: looks at it and takes one step at a time. */
export class ClusterNode implements Node {
  readonly #parts: ClusterNodeParts;
  #lastWords = '';
  #wordsSince = 0;
  #leaveOver = false;
  #leaveFailure: string | null = null;
  #leaveSince: number | null = null;
  #serviceInAt: number | null = null;

  constructor(parts: ClusterNodeParts) {
    this.#parts = parts;
  }

  async observe(): Promise<Observed> {
    const { chmpx, k2hdkc, restarts, membership, role, clock, desired } = this.#parts;
    const status = chmpx.running ? await this.#parts.readStatus() : null;
    const now = clock.monotonic();
    this.#noteWords(status, now);
    const view = role.view();
    const observed: Observed = {
      chmpx: chmpx.view(),
      k2hdkc: k2hdkc.view(),
      status,
      statusProblem: this.#parts.statusProblem(),
      statusStableMs: now - this.#wordsSince,
      role: view,
      iniPublished: view.ini === (await this.#iniOnDisk()),
      restartInMs: restarts.waitMs,
      crashes: restarts.crashes,
      crashReason: restarts.reason,
      k2hr3RetryInMs: membership.retryInMs,
      leaveOver: this.#leaveOver,
      leaveFailure: this.#leaveFailure,
      serviceInSentMs: this.#serviceInAt === null ? null : now - this.#serviceInAt,
      now: clock.wall(),
    };
    restarts.seen(serves(desired.current, observed));
    return observed;
  }

  async act(action: Action, signal: AbortSignal): Promise<void> {
    const { desired, chmpx, k2hdkc, membership, role, site } = this.#parts;
    const { generation, parameters } = desired.current;
    switch (action) {
      case 'register':
        if (parameters) await membership.register(parameters, signal);
        role.registered();
        return;
      case 'unregister':
        return membership.unregister(signal);
      case 'publish-ini':
        return this.#publish();
      case 'start-chmpx':
        this.#forgetLeave();
        role.hurry();
        return this.#start(chmpx, generation, () => site.prepareChmpx());
      case 'start-k2hdkc':
        return this.#start(k2hdkc, generation, () => site.prepareK2hdkc());
      case 'service-in':
        return this.#serviceIn();
      case 'leave-ring':
        return this.#leaveRing(signal);
      case 'stop-k2hdkc':
        return k2hdkc.stop();
      case 'stop-chmpx':
        return this.#stopChmpx();
      case 'restart-pair':
        return this.#restartPair();
      case 'end-shrink':
        return desired.update({ shrinking: null });
    }
  }

  /** The wish has changed: a leave that failed, and crashes, are no longer held against it. */
  startAfresh(): void {
    this.#forgetLeave();
    this.#parts.restarts.forgive();
  }

  #forgetLeave(): void {
    this.#leaveOver = false;
    this.#leaveFailure = null;
    this.#leaveSince = null;
    this.#serviceInAt = null;
  }

  async #publish(): Promise<void> {
    const { role, iniFile, log } = this.#parts;
    const { ini } = role.view();
    if (ini === null) return;
    await makeSharedDirectory(path.dirname(iniFile));
    const written = await publishIni(iniFile, ini);
    if (written) log.info({ file: iniFile }, 'ini published');
  }

  #iniOnDisk(): Promise<string | null> {
    return readFile(this.#parts.iniFile, 'utf8').catch(() => null);
  }

  /** One that somebody else has started, by hand say, is taken over and never doubled. */
  async #start(
    program: KeptProgram,
    generation: string,
    prepare: () => Promise<void>,
  ): Promise<void> {
    try {
      if (await program.adopt(generation)) return;
      await prepare();
      await program.start(generation);
    } catch (error) {
      this.#parts.restarts.crashed(messageOf(error));
      throw error;
    }
  }

  /** A pair that hangs is as good as one that crashed, and starts again after the same pause. */
  async #restartPair(): Promise<void> {
    const { k2hdkc, restarts } = this.#parts;
    restarts.crashed(`no progress, last seen as ${this.#lastWords || 'without a status'}`);
    await k2hdkc.stop();
    await this.#stopChmpx();
  }

  async #stopChmpx(): Promise<void> {
    const { clock, chmpx, pollMs, desired } = this.#parts;
    // A slave has no k2hdkc that its chmpx could miss.
    if (desired.current.mode === 'slave') return chmpx.stop();
    // HUP before chmpx shows Suspend makes it crash and leave its shared memory (chmpx 1.0.113).
    const limit = clock.monotonic() + SUSPEND_LIMIT_MS;
    while (clock.monotonic() < limit) {
      const status = await this.#parts.readStatus();
      if (status === null || status.self.suspended) break;
      await sleep(clock, pollMs);
    }
    await chmpx.stop();
  }

  async #serviceIn(): Promise<void> {
    const status = await this.#parts.readStatus();
    if (!status) return;
    this.#serviceInAt = this.#parts.clock.monotonic();
    await this.#parts.controlPort(status.self.controlPort).serviceIn();
  }

  /**
   * SERVICEOUT, then waiting for the merge. stop_db goes on when the time is up; who leaves for
   * good stays, because its data could not move.
   */
  async #leaveRing(signal: AbortSignal): Promise<void> {
    const { clock, pollMs, desired, leaveLimits, log, chmpx } = this.#parts;
    const limit = desired.current.stopped ? leaveLimits.stopMs : leaveLimits.goodMs;
    this.#leaveSince ??= clock.monotonic();
    while (!signal.aborted) {
      const status = await this.#parts.readStatus();
      // One reading that failed is no proof that the data has moved.
      if (status ? !mustLeaveRing(status) : !chmpx.running) {
        this.#leaveOver = true;
        return;
      }
      const words = status ? statusWords(status.self) : 'without a status';
      if (clock.monotonic() - this.#leaveSince > limit) {
        this.#leaveOver = true;
        if (!desired.current.stopped) this.#leaveFailure = `still ${words} after ${limit / 1000} s`;
        log.warn({ status: words }, 'the ring was not left in time');
        return;
      }
      if (status?.self.operation === 'n/a') await this.#serviceOut(status);
      await sleep(clock, pollMs, signal);
    }
  }

  async #serviceOut({ self }: RingStatus): Promise<void> {
    if (self.name === '' || self.seed === '') {
      throw new AgentError('no-seed', 'chmpxstatus shows no custom id seed of this node');
    }
    await this.#parts.controlPort(self.controlPort).serviceOut({
      serverName: self.name,
      controlPort: self.controlPort,
      seed: self.seed,
    });
  }

  #noteWords(status: RingStatus | null, now: number): void {
    const words = status ? statusWords(status.self) : '';
    if (words === this.#lastWords) return;
    this.#parts.log.info({ status: words || 'none' }, 'chmpx status');
    this.#lastWords = words;
    this.#wordsSince = now;
  }
}
