import { rm } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import type { Clock } from '../../base/clock.ts';
import { codeOf } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { writeFileAtomic } from '../../host/atomic-file.ts';
import { readPlainFile } from '../../host/plain-file.ts';
import type { ConductorMessage } from '../../trove/conductor-messages.ts';
import { keptMessage } from './outbox-file.ts';

/** What was delivered, and will be said again. */
export interface SaidMessage {
  message: ConductorMessage;
  /** How long ago it was delivered last (ms). */
  agoMs: number;
}

/** After this time Trove knows better than an agent that was away (ms). */
const LONGEST_MS = 600_000;

const schema = v.array(v.object({ message: keptMessage, at: v.number() }));

/**
 * What was delivered and will be said again, in `said.json` of the state directory: an agent that ends in
 * that time leaves it to the next one. What cannot be read or written costs the second saying only.
 */
export class SaidFile {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  #isThere = true;

  constructor(stateDirectory: string, clock: Clock, log: Logger) {
    this.#file = path.join(stateDirectory, 'said.json');
    this.#clock = clock;
    this.#log = log;
  }

  /** What an earlier agent has left to say, of the last ten minutes. */
  async load(): Promise<SaidMessage[]> {
    try {
      const now = this.#clock.wall();
      return v
        .parse(schema, JSON.parse(await readPlainFile(this.#file)))
        .map(({ message, at }) => ({ message, agoMs: now - at }))
        .filter(({ agoMs }) => agoMs >= 0 && agoMs <= LONGEST_MS);
    } catch (err) {
      if (codeOf(err) !== 'ENOENT')
        this.#log.warn({ err }, 'what the conductor may have lost is not known');
      return [];
    }
  }

  /** Replaces what is kept; there is no file when there is nothing. */
  async write(said: readonly SaidMessage[]): Promise<void> {
    if (said.length === 0 && !this.#isThere) return;
    try {
      if (said.length === 0) await rm(this.#file, { force: true });
      else await writeFileAtomic(this.#file, this.#text(said));
      this.#isThere = said.length > 0;
    } catch (err) {
      this.#log.debug({ err }, 'what was said cannot be kept');
    }
  }

  #text(said: readonly SaidMessage[]): string {
    const now = this.#clock.wall();
    return JSON.stringify(said.map(({ message, agoMs }) => ({ message, at: now - agoMs })));
  }
}
