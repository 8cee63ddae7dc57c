import { readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../base/errors.ts';
import {
  makePrivateDirectory,
  makePrivateDirectoryAt,
  removeUnfinishedWrites,
  syncDirectory,
  writeFileAtomic,
} from '../host/atomic-file.ts';
import { readPlainFile } from '../host/plain-file.ts';

/** So many finished operations are remembered, to recognise a request that comes twice. */
const MOST_DONE = 256;

/** Bytes: `amqp.largest_message` of agent.yaml allows no larger message. */
const LARGEST_BODY = 128 * 1024 ** 2;

/** An operation that was accepted: the request as it came, for after a crash. */
export interface JournalEntry {
  /** The request's _unique_id. */
  id: string;
  /** The body of the message, still encrypted if it came encrypted. */
  body: string;
}

/** An operation that an earlier agent did not finish. */
export interface UnfinishedEntry extends JournalEntry {
  /** The VM was booted since. */
  fromEarlierBoot: boolean;
}

/** What the name of a file says; undefined when it is not ours, null when it cannot be read. */
function readName(name: string): { number: number; id: string } | null | undefined {
  const [, number, encoded] = /^(\d+)-(.+)$/.exec(name) ?? [];
  if (number === undefined || encoded === undefined) return undefined;
  if (number.length > 15) return null;
  try {
    return { number: Number(number), id: decodeURIComponent(encoded) };
  } catch {
    return null;
  }
}

/**
 * Accepted operations on disk. An entry is written, and synced, before its message is
 * acknowledged; it is finished when the operation has ended one way or the other. What is open
 * when an agent starts is what the one before it did not finish.
 *
 * Files: `open/NNNNNNNN-ID` holds the body, `done/NNNNNNNN-ID` is empty: a request can hold a
 * user's token, which is not kept longer than needed.
 */
export class Journal {
  readonly #directory: string;
  readonly #open = new Map<string, string>();
  readonly #done = new Map<string, string>();
  #next = 1;
  readonly #bootId: string;
  #isNewBoot = false;
  /** Which boot this is, is on disk. */
  #bootIsKept = false;
  /** Operations that have ended, which the disk did not take note of. */
  readonly #ended = new Set<string>();

  private constructor(directory: string, bootId: string) {
    this.#directory = directory;
    this.#bootId = bootId;
  }

  /**
   * Never rejects: with a disk that is full, read-only or broken an agent starts all the same, runs what
   * it can read here, and accepts nothing. `onTrouble` hears of each failure.
   */
  static async open(
    stateDirectory: string,
    bootId: string,
    onTrouble: (error: unknown) => void = () => undefined,
  ): Promise<Journal> {
    const journal = new Journal(path.join(stateDirectory, 'journal'), bootId);
    const lastBoot = await readPlainFile(journal.#bootFile).catch(() => null);
    journal.#isNewBoot = lastBoot !== null && lastBoot !== bootId;
    journal.#bootIsKept = lastBoot === bootId;
    await makePrivateDirectoryAt(journal.#directory).catch(onTrouble);
    await journal.#load('open', journal.#open).catch(onTrouble);
    await journal.#load('done', journal.#done).catch(onTrouble);
    return journal;
  }

  /** Whether a request with this id was accepted before, finished or not. */
  knows(id: string): boolean {
    return this.#open.has(id) || this.#done.has(id);
  }

  /**
   * Stores which boot this is: entries from now on belong to it. Those of an earlier boot must not, so that their
   * ends are stored first.
   */
  async keepBoot(): Promise<void> {
    const stored = this.#storeEnds();
    if (this.#bootIsKept) return stored.catch(() => undefined);
    await stored;
    await writeFileAtomic(this.#bootFile, this.#bootId);
    this.#bootIsKept = true;
  }

  /** Resolves when the entry is safe on disk. */
  async accept({ id, body }: JournalEntry): Promise<void> {
    // Both can have failed at the start.
    await makePrivateDirectory(this.#path('open', ''));
    await this.keepBoot();
    const name = `${String(this.#next++).padStart(8, '0')}-${encodeURIComponent(id)}`;
    await writeFileAtomic(this.#path('open', name), body);
    this.#open.set(id, name);
  }

  /**
   * The operation has ended and is not to be run again. When that cannot be stored, it is tried again before
   * another operation is accepted.
   */
  async finish(id: string): Promise<void> {
    this.#ended.add(id);
    await this.#store(id);
    this.#ended.delete(id);
  }

  async #storeEnds(): Promise<void> {
    for (const id of this.#ended) await this.finish(id);
  }

  async #store(id: string): Promise<void> {
    const name = this.#open.get(id);
    if (name === undefined) return;
    await makePrivateDirectory(this.#path('done', ''));
    await writeFileAtomic(this.#path('done', name), '');
    await rm(this.#path('open', name), { force: true });
    await syncDirectory(this.#path('open', ''));
    this.#open.delete(id);
    this.#done.set(id, name);
    await this.#forgetOldest();
  }

  /**
   * Puts aside what cannot be run, into `journal/refused`: no agent takes it up again. Never rejects; what
   * cannot be moved is forgotten until the next start.
   */
  async refuse(id: string): Promise<void> {
    const name = this.#open.get(id);
    this.#open.delete(id);
    if (name !== undefined) await this.#putAside('open', name);
  }

  /** What an earlier agent accepted and did not finish, oldest first. */
  async unfinished(): Promise<UnfinishedEntry[]> {
    const entries = [...this.#open].sort(([, a], [, b]) => a.localeCompare(b));
    const unfinished: UnfinishedEntry[] = [];
    for (const [id, name] of entries) {
      try {
        const body = await readPlainFile(this.#path('open', name), LARGEST_BODY);
        unfinished.push({ id, body, fromEarlierBoot: this.#isNewBoot });
      } catch (error) {
        // ENOENT: finished meanwhile.
        if (codeOf(error) !== 'ENOENT') await this.refuse(id);
      }
    }
    return unfinished;
  }

  async #load(kind: 'open' | 'done', into: Map<string, string>): Promise<void> {
    const directory = path.join(this.#directory, kind);
    await makePrivateDirectoryAt(directory);
    await removeUnfinishedWrites(directory);
    const names = await readdir(directory);
    for (const name of names.sort()) {
      const entry = readName(name);
      if (entry === undefined) continue;
      if (entry === null) {
        await this.#putAside(kind, name);
        continue;
      }
      const { number, id } = entry;
      if (kind === 'done' && this.#open.has(id)) {
        // Killed between the two halves of `finish`: it is done.
        await rm(this.#path('open', name), { force: true }).catch(() => undefined);
        this.#open.delete(id);
      }
      into.set(id, name);
      this.#next = Math.max(this.#next, number + 1);
    }
  }

  async #putAside(kind: 'open' | 'done', name: string): Promise<void> {
    const refused = path.join(this.#directory, 'refused');
    try {
      await makePrivateDirectory(refused);
      await rename(this.#path(kind, name), path.join(refused, `${kind}-${name}`));
    } catch {
      // A disk that is read-only, say: see `refuse`.
    }
  }

  async #forgetOldest(): Promise<void> {
    for (const [id, name] of [...this.#done].slice(0, Math.max(0, this.#done.size - MOST_DONE))) {
      await rm(this.#path('done', name), { force: true });
      this.#done.delete(id);
    }
  }

  get #bootFile(): string {
    return path.join(this.#directory, 'boot');
  }

  #path(kind: 'open' | 'done', name: string): string {
    return path.join(this.#directory, kind, name);
  }
}
