import { rm } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { codeOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { writeFileAtomic } from '../host/atomic-file.ts';
import { readPlainFile } from '../host/plain-file.ts';

const keptText = v.object({ of: v.string(), text: v.string() });

/** A role resource as it is on disk. */
export interface KeptText {
  /** The `parametersKey` of the registration that it was read for. */
  of: string;
  text: string;
}

/**
 * The last good role resource on disk, so that a node can start without K2HR3. A disk that is full
 * or read-only does not keep the role from being used: it is logged once, and tried again.
 */
export class KeptRole {
  readonly #file: string;
  readonly #log: Logger;
  /** What must still be written; null when the disk has the newest text. */
  #unsaved: KeptText | null = null;
  #diskFails = false;

  constructor(stateDirectory: string, log: Logger) {
    this.#file = path.join(stateDirectory, 'role.json');
    this.#log = log;
  }

  /** What is kept; null when that is nothing, or of no use. */
  async read(): Promise<KeptText | null> {
    try {
      return v.parse(keptText, JSON.parse(await readPlainFile(this.#file)));
    } catch (err) {
      if (codeOf(err) !== 'ENOENT') this.ofNoUse(err);
      return null;
    }
  }

  /** Says that what is kept cannot be used. */
  ofNoUse(err: unknown): void {
    this.#log.warn({ err, file: this.#file }, 'the kept role document is of no use');
  }

  /** Takes a text that `save` is to write. */
  keep(kept: KeptText): void {
    this.#unsaved = kept;
  }

  /** Writes what is not on disk yet, if anything; a disk that is full may have room by now. */
  async save(): Promise<void> {
    const kept = this.#unsaved;
    if (kept === null) return;
    const saved = await this.#onDisk(writeFileAtomic(this.#file, JSON.stringify(kept)));
    if (saved && this.#unsaved === kept) this.#unsaved = null;
  }

  async forget(): Promise<void> {
    this.#unsaved = null;
    await this.#onDisk(rm(this.#file, { force: true }));
  }

  async #onDisk(change: Promise<void>): Promise<boolean> {
    try {
      await change;
      if (this.#diskFails)
        this.#log.info({ file: this.#file }, 'the role document is on disk again');
      this.#diskFails = false;
    } catch (err) {
      const text = 'the role document on disk stays as it was';
      if (!this.#diskFails) this.#log.warn({ err, file: this.#file }, text);
      this.#diskFails = true;
    }
    return !this.#diskFails;
  }
}
