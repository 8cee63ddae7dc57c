import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';

const { O_RDONLY, O_WRONLY, O_CREAT, O_APPEND, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * A small file to which lines are added, for its owner alone. It is written without a sync: it outlives the
 * agent, if not a power cut. Nothing here throws: what cannot be written is not there for the next agent. No
 * link is followed, which would lead to a file of somebody else, and no pipe waited for.
 */
export class LineFile {
  readonly #file: string;
  readonly #largest: number;

  /** @param largest bytes of the file; it is to be replaced before it grows beyond. */
  constructor(file: string, largest: number) {
    this.#file = file;
    this.#largest = largest;
  }

  /** The lines of the last `largest` bytes, the first of which can be cut; none when it cannot be read. */
  read(): string[] {
    try {
      return this.#lastBytes().toString('latin1').split('\n');
    } catch {
      return [];
    }
  }

  /** Whether so many bytes more are too many. */
  isFull(bytes: number): boolean {
    return (lstatSync(this.#file, { throwIfNoEntry: false })?.size ?? 0) + bytes > this.#largest;
  }

  append(line: string): void {
    attempt(() => write(this.#file, `${line}\n`, O_APPEND));
  }

  replace(lines: readonly string[]): void {
    attempt(() => {
      const next = `${this.#file}.new`;
      rmSync(next, { force: true });
      write(next, lines.map((line) => `${line}\n`).join(''), O_TRUNC);
      renameSync(next, this.#file);
    });
  }

  #lastBytes(): Buffer {
    return opened(this.#file, O_RDONLY, (file) => {
      const { size } = fstatSync(file);
      const bytes = Buffer.alloc(Math.min(size, this.#largest));
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, size - bytes.length));
    });
  }
}

function write(file: string, text: string, how: number): void {
  opened(file, O_WRONLY | O_CREAT | how, (to) => void writeSync(to, text));
}

function opened<T>(name: string, how: number, use: (file: number) => T): T {
  const file = openSync(name, how | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}

function attempt(write: () => void): void {
  try {
    write();
  } catch {
    // See LineFile.
  }
}
