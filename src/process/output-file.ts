import { open, rename, stat, truncate, writeFile, type FileHandle } from 'node:fs/promises';
import { lastLines } from './last-lines.ts';

/** An output file larger than this is moved aside, and so much of its end is kept. */
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
      if (await this.#isLarge()) await this.#moveAside();
      return await open(this.#file, 'a', 0o600);
    } catch {
      return open('/dev/null', 'a');
    }
  }

  /**
   * Moves the end of the content aside while a program writes. The program keeps the file open, so that
   * it is copied and emptied; a line written in between is lost. Never rejects.
   */
  async rotate(): Promise<void> {
    try {
      if (!(await this.#isLarge())) return;
      await this.#moveAside();
    } catch {
      // The next look tries again.
    }
  }

  /** Its last lines, joined to one; the file before counts as long as this one is empty. */
  async lastLines(): Promise<string> {
    return (await lastLines(this.#file)) || (await lastLines(`${this.#file}.1`));
  }

  /** A program that writes without end can have filled the file with any amount by now. */
  async #moveAside(): Promise<void> {
    const file = await open(this.#file, 'r');
    try {
      const { size } = await file.stat();
      const end = Buffer.alloc(Math.min(size, LIMIT_BYTES));
      const { bytesRead } = await file.read(end, 0, end.length, size - end.length);
      const sibling = `${this.#file}.1.new`;
      await writeFile(sibling, end.subarray(0, bytesRead), { mode: 0o600 });
      await rename(sibling, `${this.#file}.1`);
    } finally {
      await file.close();
    }
    await truncate(this.#file);
  }

  async #isLarge(): Promise<boolean> {
    const size = await stat(this.#file).then(
      (found) => found.size,
      () => 0,
    );
    return size > LIMIT_BYTES;
  }
}
