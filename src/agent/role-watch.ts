import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { Backoff, type Random } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { Alarm } from '../base/wait.ts';
import { writeFileAtomic } from '../host/atomic-file.ts';
import type { ResourceReading } from '../k2hr3/resource.ts';
import type { DesiredState, Registration } from './desired-state.ts';
import type { RoleView } from './observed.ts';
import type { RoleDocument } from './role-document.ts';

/** How fast the role is read, in milliseconds. */
export interface RolePace {
  settledMs: number;
  changingMs: number;
  retryFirstMs: number;
  retryCapMs: number;
}

/** What a role watch works with. */
export interface RoleWatchOptions {
  stateDirectory: string;
  desired: () => DesiredState;
  /** Reads the role resource; with an etag it may answer that nothing has changed. */
  read: (
    registration: Registration,
    etag: string | undefined,
    signal: AbortSignal,
  ) => Promise<ResourceReading>;
  /** Makes a document of the text, or throws with the reason why it cannot be used. */
  parse: (text: string, desired: DesiredState) => RoleDocument;
  pace: RolePace;
  clock: Clock;
  random: Random;
  log: Logger;
  onChange: () => void;
}

/** While something changes the role is read fast, but for no longer than this (ms). */
const HURRY_MS = 30_000;
/** Reading costs the server 45 to 110 ms, more with more servers (ms per server). */
const PER_SERVER_MS = 150;

/**
 * Reads the role again and again while this node is registered. The newest sane document is kept,
 * on disk too: neither K2HR3 being away nor an agent that starts anew changes a running node. A
 * document that is not sane changes nothing and is logged once.
 */
export class RoleWatch {
  readonly #options: RoleWatchOptions;
  readonly #alarm = new Alarm();
  readonly #backoff: Backoff;
  readonly #file: string;
  #document: RoleDocument | null = null;
  /** What must still be written; null when the disk has the newest document. */
  #unsaved: KeptRole | null = null;
  #diskFails = false;
  #documentOf: string | null = null;
  #etag: string | undefined;
  #problem: string | null = null;
  #ringSince: number;
  #ringIsNew = false;
  #hurryUntil = 0;
  #retryMs: number | null = null;

  constructor(options: RoleWatchOptions) {
    const { pace, random, clock, stateDirectory } = options;
    this.#options = options;
    this.#backoff = new Backoff({ first: pace.retryFirstMs, cap: pace.retryCapMs }, random);
    this.#file = path.join(stateDirectory, 'role.json');
    this.#ringSince = clock.monotonic();
  }

  /** Takes the last good document from disk, so that a node can start without K2HR3. */
  async restore(): Promise<void> {
    const kept = await readFile(this.#file, 'utf8').catch(() => null);
    const { registration } = this.#options.desired();
    if (kept === null || registration === null) return;
    try {
      const { of, text } = JSON.parse(kept) as KeptRole;
      if (of !== registration.parametersKey) return;
      this.#document = this.#options.parse(text, this.#options.desired());
      this.#documentOf = of;
    } catch (err) {
      this.#options.log.warn({ err, file: this.#file }, 'the kept role document is of no use');
    }
  }

  /** What the newest sane document says, for the registration that counts now. */
  view(): RoleView {
    const document = this.#current();
    return {
      ini: document?.ini ?? null,
      lacksSelf: document !== null && document.ini === null,
      dataDirectory: document?.dataDirectory ?? null,
      k2h: document?.k2h ?? null,
      servers: document?.servers.length ?? 0,
      position: document?.position ?? 0,
      ringStableMs: this.#options.clock.monotonic() - this.#ringSince,
      ringIsNew: this.#ringIsNew,
      problem: this.#problem,
    };
  }

  /** Something changes: read at once, and fast for a while. */
  hurry(): void {
    this.#hurryUntil = this.#options.clock.monotonic() + HURRY_MS;
    this.#alarm.ring();
  }

  /** Reads until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { registration, parameters } = this.#options.desired();
      const wanted = parameters === null ? null : registration;
      if (wanted === null) await this.#forget();
      else await this.#readOnce(wanted, signal);
      await this.#alarm.wait(this.#options.clock, this.#pauseMs(wanted), signal);
    }
  }

  #current(): RoleDocument | null {
    const { registration } = this.#options.desired();
    return registration?.parametersKey === this.#documentOf ? this.#document : null;
  }

  async #readOnce(registration: Registration, signal: AbortSignal): Promise<void> {
    const { log, read } = this.#options;
    try {
      const etag = this.#current() ? this.#etag : undefined;
      const reading = await read(registration, etag, signal);
      if (registration !== this.#options.desired().registration) return; // nobody wants it any more
      if (reading.changed) this.#take(reading.text, registration);
      await this.#save();
      this.#etag = reading.changed ? reading.etag : this.#etag;
      if (this.#retryMs !== null) log.info('K2HR3 answers again');
      this.#backoff.reset();
      this.#retryMs = null;
      this.#setProblem(null);
    } catch (error) {
      if (signal.aborted) return;
      const problem = messageOf(error);
      if (problem !== this.#problem) {
        log.warn({ problem }, 'the role cannot be read; the last good one stays in use');
      }
      this.#retryMs = this.#backoff.next();
      this.#setProblem(problem);
    }
  }

  #take(text: string, registration: Registration): void {
    const { parse, desired, log, clock, onChange } = this.#options;
    const document = parse(text, desired());
    const before = this.#current();
    if (before?.servers.join() !== document.servers.join()) {
      log.info({ servers: document.servers, self: document.ini !== null }, 'ring by the role');
      this.#ringSince = clock.monotonic();
      this.#ringIsNew = true;
      if (before !== null) this.hurry();
    }
    this.#document = document;
    this.#documentOf = registration.parametersKey;
    // A document without this node is no good to start from.
    if (document.ini !== null && before?.ini !== document.ini) {
      this.#unsaved = { of: registration.parametersKey, text };
    }
    onChange();
  }

  async #forget(): Promise<void> {
    this.#etag = undefined;
    this.#retryMs = null;
    this.#backoff.reset();
    this.#setProblem(null);
    if (this.#documentOf === null) return;
    this.#document = null;
    this.#documentOf = null;
    this.#unsaved = null;
    await this.#onDisk(rm(this.#file, { force: true }));
  }

  /** A disk that is full may have room at the next reading. */
  async #save(): Promise<void> {
    const kept = this.#unsaved;
    if (kept === null) return;
    const saved = await this.#onDisk(writeFileAtomic(this.#file, JSON.stringify(kept)));
    if (saved && this.#unsaved === kept) this.#unsaved = null;
  }

  /** A disk that is full or read-only does not keep the role from being used; said once. */
  async #onDisk(change: Promise<void>): Promise<boolean> {
    const { log } = this.#options;
    try {
      await change;
      if (this.#diskFails) log.info({ file: this.#file }, 'the role document is on disk again');
      this.#diskFails = false;
    } catch (err) {
      const text = 'the role document on disk stays as it was';
      if (!this.#diskFails) log.warn({ err, file: this.#file }, text);
      this.#diskFails = true;
    }
    return !this.#diskFails;
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
    const jitter = 0.9 + 0.2 * random();
    if (clock.monotonic() < this.#hurryUntil) return pace.changingMs * jitter;
    const servers = this.#document?.servers.length ?? 0;
    return Math.max(pace.settledMs, PER_SERVER_MS * servers) * jitter;
  }
}

interface KeptRole {
  /** The `parametersKey` of the registration that it was read for. */
  of: string;
  text: string;
}
