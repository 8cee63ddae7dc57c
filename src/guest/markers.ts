import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../host/atomic-file.ts';

/**
 * The files by which Trove's own guest agent knows how far prepare came
 * (docs/contracts/trove.md, 7.4). They hold nothing; other tools look whether they exist.
 */
export class Markers {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async prepareStarted(): Promise<void> {
    await this.#write('.guestagent.prepare.start');
    await rm(path.join(this.#directory, '.guestagent.prepare.end'), { force: true });
  }

  async prepareEnded(): Promise<void> {
    await this.#write('.guestagent.prepare.end');
  }

  async #write(name: string): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    await writeFileAtomic(path.join(this.#directory, name), '', { mode: 0o644 });
  }
}
