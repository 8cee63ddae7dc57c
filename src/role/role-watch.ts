import { Backoff, type Random } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { Alarm } from '../base/wait.ts';
import type { ResolveName } from '../host/resolve-name.ts';
import type { ResourceReading } from '../k2hr3/resource.ts';
import type { Finding } from '../ring/watch/concerns.ts';
import type { Registration, RoleWish } from './registration.ts';
import { KeptRole } from './kept-role.ts';
import type { RoleView } from './role-view.ts';
import { roleDiff } from './role-diff.ts';
import type { RoleDocument } from './role-document.ts';
import { DOUBT_MS, RoleGate, type RoleGateOptions } from './role-gate.ts';
import { jittered, settledPauseMs, type RolePace } from './role-pace.ts';
import { refusedRole, RoleRefusedError } from './role-refused.ts';
import { unreadRole } from './unread-role.ts';

/** What a role watch works with. */
export interface RoleWatchOptions {
  stateDirectory: string;
  desired: () => RoleWish;
  /** Reads the role resource; with an etag it may answer that nothing has changed. */
  read: (
    registration: Registration,
    etag: string | undefined,
    signal: AbortSignal,
  ) => Promise<ResourceReading>;
  /** Makes a document of the text, or throws with the reason why it cannot be used. */
  parse: (text: string, desired: RoleWish) => RoleDocument;
  resolve: ResolveName;
  /** Whether servers may have loopback addresses: all of them are on this machine. */
  loopback: boolean;
  /** See RoleGateOptions. */
  whyOutside: RoleGateOptions['whyOutside'];
  whyMisplaced?: RoleGateOptions['whyMisplaced'];
  pace: RolePace;
  clock: Clock;
  random: Random;
  log: Logger;
  onChange: () => void;
}

/** While something changes the role is read fast, but for no longer than this (ms). */
const HURRY_MS = 30_000;

type ChangedRole = Extract<ResourceReading, { changed: true }>;

/**
 * Reads the role again and again while this node is registered. The newest sane document is kept,
 * on disk too: neither K2HR3 being away nor an agent that starts again changes a running node. A
 * document that is not sane changes nothing and is logged once.
 */
export class RoleWatch {
  readonly #options: RoleWatchOptions;
  readonly #alarm = new Alarm();
  readonly #backoff: Backoff;
  readonly #gate: RoleGate;
  readonly #kept: KeptRole;
  #document: RoleDocument | null = null;
  #documentOf: string | null = null;
  #text = '';
  #refused = '';
  /** Why the newest text is refused; null when the newest one that could be read is good. */
  #refusal: string | null = null;
  /** Registrations so far, and how many of them the newest answer can know. */
  #registrations = 0;
  #answeredAfter = 0;
  #etag: string | undefined;
  #problem: string | null = null;
  #ringSince: number;
  #ringIsNew = false;
  #hurryUntil = 0;
  #retryMs: number | null = null;
  /** The role whose reading is watched, and when it was read last, of use or not. */
  #watched: string | null = null;
  #readAt = 0;

  constructor(options: RoleWatchOptions) {
    const { pace, random, clock, stateDirectory, log } = options;
    this.#options = options;
    this.#backoff = new Backoff({ first: pace.retryFirstMs, cap: pace.retryCapMs }, random);
    this.#gate = new RoleGate(options);
    this.#kept = new KeptRole(stateDirectory, log);
    this.#ringSince = clock.monotonic();
  }

  /**
   * Takes the last good document from disk, so that a node can start without K2HR3.
   *
   * @param ringIsNew whether the others may not know this node yet.
   */
  async restore(ringIsNew: boolean): Promise<void> {
    const kept = await this.#kept.read();
    const { registration } = this.#options.desired();
    this.#ringIsNew = ringIsNew;
    if (kept === null || kept.of !== registration?.parametersKey) return;
    try {
      this.#document = this.#options.parse(kept.text, this.#options.desired());
      this.#documentOf = kept.of;
      this.#text = kept.text;
    } catch (err) {
      this.#kept.ofNoUse(err);
    }
  }

  /** What the newest sane document says, for the registration that counts now. */
  view(): RoleView {
    const document = this.#current();
    return {
      ini: document?.ini ?? null,
      lacksSelf: document?.ini === null && this.#answeredAfter === this.#registrations,
      dataDirectory: document?.dataDirectory ?? null,
      k2h: document?.k2h ?? null,
      servers: document?.servers.length ?? 0,
      neighbours: document?.neighbours ?? [],
      cuks: document?.cuks ?? new Set(),
      ringStableMs: this.#options.clock.monotonic() - this.#ringSince,
      ringIsNew: this.#ringIsNew,
      problem: this.#problem,
    };
  }

  /**
   * What concerns somebody: a role that is refused, and one that was not read for long, whatever the reason.
   * To be asked every few seconds: the time runs from the first question on.
   */
  findings(): Finding[] {
    const { desired, clock, pace } = this.#options;
    const now = clock.monotonic();
    const key = desired().registration?.parametersKey ?? null;
    if (key === null || key !== this.#watched) this.#readAt = now;
    this.#watched = key;
    const pauseMs = settledPauseMs(pace.settledMs, this.#document?.servers.length ?? 0);
    return [
      ...refusedRole(this.#refusal),
      ...unreadRole(now - this.#readAt, pauseMs, this.#problem),
    ];
  }

  /** Something changes: read at once, and fast for a while. */
  hurry(): void {
    this.#hurryUntil = this.#options.clock.monotonic() + HURRY_MS;
    this.#alarm.ring();
  }

  /** This node has registered: what was read before says nothing about it any more. */
  registered(): void {
    this.#registrations += 1;
    this.hurry();
  }

  /** Reads until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // Also while the node leaves for good: who is in the role says who keeps a place in the ring.
      const { registration } = this.#options.desired();
      if (registration === null) await this.#forget();
      else await this.#readOnce(registration, signal);
      await this.#alarm.wait(this.#options.clock, this.#pauseMs(registration), signal);
    }
  }

  #current(): RoleDocument | null {
    const { registration } = this.#options.desired();
    return registration?.parametersKey === this.#documentOf ? this.#document : null;
  }

  async #readOnce(registration: Registration, signal: AbortSignal): Promise<void> {
    const { log, read, desired } = this.#options;
    const registrations = this.#registrations;
    try {
      const etag = this.#current() ? this.#etag : undefined;
      const reading = await read(registration, etag, signal);
      if (registration !== desired().registration) return; // nobody wants it any more
      if (reading.changed && !(await this.#take(reading, registration))) return;
      if (this.#retryMs !== null && this.#problem !== null) log.info('K2HR3 answers again');
      const isNews = reading.changed || this.#answeredAfter !== registrations;
      this.#answeredAfter = registrations;
      this.#readAt = this.#options.clock.monotonic();
      this.#backoff.reset();
      this.#retryMs = null;
      this.#refusal = null;
      this.#setProblem(null);
      if (isNews) this.#options.onChange();
      await this.#kept.save();
    } catch (error) {
      if (signal.aborted) return;
      const problem = messageOf(error);
      this.#retryMs = this.#backoff.next();
      if (error instanceof RoleRefusedError) {
        this.#refusal = problem;
        // It was read, and the next read is due then.
        this.#readAt = this.#options.clock.monotonic() + this.#retryMs;
      } else if (problem !== this.#problem) {
        log.warn({ problem }, 'the role cannot be read; the last good one stays in use');
      }
      this.#setProblem(problem);
    }
  }

  /** Puts a good document in the place of the last one; false when it must be read once more. */
  async #take(reading: ChangedRole, registration: Registration): Promise<boolean> {
    const { log, desired } = this.#options;
    const { text, etag } = reading;
    const before = this.#current();
    try {
      const verdict = await this.#gate.judge(text, desired(), before);
      if (registration !== desired().registration) return false;
      if (verdict.kind === 'doubtful') {
        log.info({ why: verdict.why }, 'the role is doubtful: reading it again');
        this.#retryMs = DOUBT_MS;
        return false;
      }
      this.#use(verdict.document, text, registration);
      this.#etag = etag;
      return true;
    } catch (error) {
      if (error instanceof RoleRefusedError) this.#logRefusal(messageOf(error), before, text);
      throw error;
    }
  }

  /** Once for each text, whatever else goes wrong in between. */
  #logRefusal(reason: string, before: RoleDocument | null, text: string): void {
    if (this.#refused === text) return;
    this.#refused = text;
    const diff = before === null ? {} : { diff: roleDiff(this.#text, text) };
    this.#options.log.warn({ reason, ...diff }, 'a role document changes nothing');
  }

  #use(document: RoleDocument, text: string, registration: Registration): void {
    const { log, clock } = this.#options;
    const before = this.#current();
    if (before?.servers.join() !== document.servers.join()) {
      log.info({ servers: document.servers, self: document.ini !== null }, 'ring by the role');
      this.#ringSince = clock.monotonic();
      this.#ringIsNew = true;
      if (before !== null) this.hurry();
    }
    this.#document = document;
    this.#documentOf = registration.parametersKey;
    this.#text = text;
    this.#refused = '';
    // A document without this node is no good to start from.
    if (document.ini !== null && before?.ini?.text !== document.ini.text) {
      this.#kept.keep({ of: registration.parametersKey, text });
    }
  }

  async #forget(): Promise<void> {
    this.#etag = undefined;
    this.#retryMs = null;
    this.#refusal = null;
    this.#backoff.reset();
    this.#setProblem(null);
    if (this.#documentOf === null) return;
    this.#document = null;
    this.#documentOf = null;
    await this.#kept.forget();
  }

  #setProblem(problem: string | null): void {
    const changed = problem !== this.#problem;
    this.#problem = problem;
    if (changed) this.#options.onChange();
  }

  #pauseMs(registration: Registration | null): number {
    const { clock, random, pace } = this.#options;
    if (registration === null) return 3_600_000;
    if (this.#retryMs !== null) return this.#retryMs;
    if (clock.monotonic() < this.#hurryUntil) return jittered(pace.changingMs, random);
    return jittered(settledPauseMs(pace.settledMs, this.#document?.servers.length ?? 0), random);
  }
}
