import { copyFile, open, rename, stat, truncate, type FileHandle } from 'node:fs/promises';
import { lastLines } from './last-lines.ts';

/** An output file larger than this is moved aside. */
const LIMIT_BYTES = 1024 * 1024;

/** The file that a program writes to, and the one before it: `FILE.1`. */
export class OutputFile {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Opens it for a new start. What cannot be written must not keep the database down: it is lost. */
  async open(): Promise<FileHandle> {
    try {
      if (await this.#isLarge()) await rename(this.#file, `${this.#file}.1`);
      return await open(this.#file, 'a', 0o600);
    } catch {
      return open('/dev/null', 'a');
    }
  }

  /**
   * Moves the content aside while a program writes. The program keeps the file open, so that it is
   * copied and emptied; a line written in between is lost. Never rejects.
   */
  async rotate(): Promise<void> {
    try {
      if (!(await this.#isLarge())) return;
      await copyFile(this.#file, `${this.#file}.1`);
      await truncate(this.#file);
    } catch {
      // The next look tries again.
    }
  }

  /** Its last lines, joined to one; the file before counts as long as this one is empty. */
  async lastLines(): Promise<string> {
    return (await lastLines(this.#file)) || (await lastLines(`${this.#file}.1`));
  }

  async #isLarge(): Promise<boolean> {
    const size = await stat(this.#file).then(
      (found) => found.size,
      () => 0,
    );
    return size > LIMIT_BYTES;
  }
}
