import { utimes } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import { writeFileAtomic } from '../host/atomic-file.ts';
import type { StatusDocument } from './status-document.ts';

/** Where the status document is, in the state directory. */
export function statusFile(stateDirectory: string): string {
  return path.join(stateDirectory, 'status.json');
}

/** What a status file is written with. */
export interface StatusFileOptions {
  stateDirectory: string;
  clock: Clock;
  secrets: Secrets;
  log: Logger;
}

/** So often the file gets a new time, as a sign of life (ms). */
const SIGN_OF_LIFE_MS = 20_000;

/**
 * Keeps status.json: written when something has changed, and never with a secret. When nothing
 * changes only its time does. A disk that is full is logged once, and changes nothing else.
 */
export class StatusFile {
  readonly #options: StatusFileOptions;
  readonly #file: string;
  #wanted: string | null = null;
  #written = '';
  #touchedAt = -Infinity;
  #busy = false;
  #writing: Promise<void> = Promise.resolve();
  #ended = false;
  #fails = false;

  constructor(options: StatusFileOptions) {
    this.#options = options;
    this.#file = statusFile(options.stateDirectory);
  }

  /** Writes the document, soon, if it is not what is on disk. Does nothing after `end`. */
  show(document: StatusDocument): void {
    if (this.#ended) return;
    const { clock, secrets } = this.#options;
    const text = secrets.scrub(`${JSON.stringify(document, null, 2)}\n`);
    const isNew = text !== this.#written;
    if (!isNew && clock.monotonic() - this.#touchedAt < SIGN_OF_LIFE_MS) return;
    this.#wanted = text;
    if (!this.#busy) this.#writing = this.#write();
  }

  /** Resolves when what was shown last is on disk, or cannot be; the file is the next agent's then. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#writing;
  }

  async #write(): Promise<void> {
    const { clock, log } = this.#options;
    this.#busy = true;
    while (this.#wanted !== null) {
      const text = this.#wanted;
      this.#wanted = null;
      try {
        if (text === this.#written) await this.#touch();
        else await writeFileAtomic(this.#file, text);
        this.#written = text;
        this.#touchedAt = clock.monotonic();
        this.#fails = false;
      } catch (error) {
        if (!this.#fails) log.warn({ reason: messageOf(error) }, 'status.json cannot be written');
        this.#fails = true;
        this.#written = '';
      }
    }
    this.#busy = false;
  }

  #touch(): Promise<void> {
    const now = this.#options.clock.wall() / 1000;
    return utimes(this.#file, now, now);
  }
}
