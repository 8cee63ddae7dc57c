import path from 'node:path';
import * as v from 'valibot';
import { codeOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { writeFileAtomic } from '../host/atomic-file.ts';
import { readPlainFile } from '../host/plain-file.ts';
import { mergePhase } from './change/merge-phase.ts';
import { isServing, type RingStatus } from './status.ts';

/** `ring.json`. */
const RECORD = v.object({
  /** The `parametersKey` of the registration under which this node served. */
  of: v.string(),
  /** CUKs of the servers that had a place in the ring, this one among them. */
  members: v.array(v.string()),
});

const NOBODY: ReadonlySet<string> = new Set();

/**
 * The CUKs of the servers that have a place in the ring, those that are down included; null while this
 * node does not serve, or somebody changes.
 */
export function membersSeen(status: RingStatus): ReadonlySet<string> | null {
  if (!isServing(status.self) || mergePhase(status) !== 'quiet') return null;
  const members = status.servers.filter(({ ring }) => ring === 'SERVICE IN');
  return new Set(members.map(({ cuk }) => cuk));
}

/**
 * With whom this node was in the ring when it served last, kept over a crash and a reboot: what those
 * hold may be newer, so that no ring is made without them (docs/merge.md).
 */
export class RingMembers {
  readonly #file: string;
  readonly #log: Logger;
  #of = '';
  #members = NOBODY;
  /** What is on disk. */
  #kept = '';
  #diskFails = false;
  #writing: Promise<void> = Promise.resolve();

  constructor({ stateDirectory, log }: { stateDirectory: string; log: Logger }) {
    this.#file = path.join(stateDirectory, 'ring.json');
    this.#log = log;
  }

  /** What the last agent has seen. A record that cannot be read is put in the log and means nobody. */
  async read(): Promise<void> {
    try {
      const text = await readPlainFile(this.#file);
      const { of, members } = v.parse(RECORD, JSON.parse(text));
      this.#of = of;
      this.#members = new Set(members);
      this.#kept = text;
    } catch (err) {
      if (codeOf(err) === 'ENOENT') return;
      this.#log.warn({ err, file: this.#file }, 'the record of the ring is of no use');
    }
  }

  /** CUKs of those that it was in the ring with under the registration with this `parametersKey`. */
  of(key: string | undefined): ReadonlySet<string> {
    return key === this.#of ? this.#members : NOBODY;
  }

  /**
   * This node looks at its ring; resolves when what is new is on disk, or cannot be. That is logged once, and
   * tried again at every look.
   */
  async look(status: RingStatus, key: string): Promise<void> {
    const seen = membersSeen(status);
    if (seen === null) return;
    this.#of = key;
    this.#members = seen;
    const text = JSON.stringify({ of: key, members: [...seen].sort() });
    this.#writing = this.#writing.then(() => this.#write(text));
    await this.#writing;
  }

  async #write(text: string): Promise<void> {
    if (text === this.#kept) return;
    try {
      await writeFileAtomic(this.#file, text);
      this.#kept = text;
      if (this.#diskFails)
        this.#log.info({ file: this.#file }, 'the record of the ring is on disk');
      this.#diskFails = false;
    } catch (err) {
      const what =
        'the servers of the ring cannot be recorded: after a reboot this node may make a ring of its own';
      if (!this.#diskFails) this.#log.warn({ err, file: this.#file }, what);
      this.#diskFails = true;
    }
  }
}
