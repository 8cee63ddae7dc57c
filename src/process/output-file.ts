import { constants } from 'node:fs';
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { lastLines } from './last-lines.ts';
import { beginRotation, endRotation } from './output-starts.ts';

/** An output file larger than this is moved aside, and so much of its end is kept. */
const LIMIT_BYTES = 1024 * 1024;

/** No link is followed: it would lead to a file of somebody else. No pipe is waited for. */
const PLAIN = constants.O_NOFOLLOW | constants.O_NONBLOCK;
const { O_RDWR, O_WRONLY, O_APPEND, O_CREAT } = constants;

/** The file that a program writes to, and the one before it: `FILE.1`. */
export class OutputFile {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Opens it for a new start. What cannot be written must not keep the database down: it is lost. */
  async open(): Promise<FileHandle> {
    try {
      await endRotation(this.#file); // of an agent that was killed in it
      if (await this.#isLarge()) await this.#moveAside();
      return await openPlain(this.#file, O_WRONLY | O_APPEND | O_CREAT);
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
      await endRotation(this.#file);
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
    const file = await openPlain(this.#file, O_RDWR);
    try {
      const { size } = await file.stat();
      const end = Buffer.alloc(Math.min(size, LIMIT_BYTES));
      const { bytesRead } = await file.read(end, 0, end.length, size - end.length);
      await beginRotation(this.#file, size, bytesRead);
      await this.#writeOlder(end.subarray(0, bytesRead));
      await file.truncate();
    } finally {
      await file.close();
    }
    await endRotation(this.#file);
  }

  async #writeOlder(end: Uint8Array): Promise<void> {
    const sibling = `${this.#file}.1.new`;
    await rm(sibling, { force: true });
    const handle = await open(sibling, 'wx', 0o600);
    await handle.writeFile(end).finally(() => handle.close());
    await rename(sibling, `${this.#file}.1`);
  }

  async #isLarge(): Promise<boolean> {
    const size = await lstat(this.#file).then(
      (found) => found.size,
      () => 0,
    );
    return size > LIMIT_BYTES;
  }
}

async function openPlain(name: string, how: number): Promise<FileHandle> {
  const file = await open(name, how | PLAIN, 0o600);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error(`${name} is no plain file`);
}
