import {
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

/** What a tool or a k2hdkc finds in the shared memory of a chmpx. */
export interface SharedMemoryHead {
  pid: number;
  /** Start time of the process in clock ticks since boot, so that a reused pid is noticed. */
  started: string;
  /** Port on 127.0.0.1 where a k2hdkc attaches. */
  attachPort: number;
  mqAck: boolean;
}

/** What the file of the real chmpx takes with MAXCHMPX 256: 7 MB. Here it is sparse. */
const FILE_SIZE = 7_094_936;

/**
 * Where chmpx, k2hdkc and the tools meet: /var/lib/antpickax when it exists, else /tmp, decided by
 * every process for itself (docs/contracts/chmpx.md, 5.1). A test names its own.
 */
export function baseDirectory(env: NodeJS.ProcessEnv): string {
  const asked = env['ANTPICKAX_STANDIN_DIR'];
  if (asked !== undefined && asked !== '') return asked;
  return existsSync('/var/lib/antpickax') ? '/var/lib/antpickax' : '/tmp';
}

/** `DIRECTORY/GROUP-CTLPORT`, to which `.chmpx` and `.k2h` are added. */
export function sharedMemoryStem(directory: string, group: string, ctlport: number): string {
  return path.join(directory, `${group}-${ctlport}`);
}

/** Start time of a living process in ticks, or `undefined`; a zombie is dead. */
export function startTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** The head of a shared memory whose chmpx lives, else `undefined`. */
export function readSharedMemory(stem: string): SharedMemoryHead | undefined {
  let text: string;
  try {
    text = readFileSync(`${stem}.chmpx`, 'utf8');
  } catch {
    return undefined;
  }
  const value = (key: string): string => new RegExp(`^${key} (.*)$`, 'm').exec(text)?.[1] ?? '';
  const pid = Number(value('pid'));
  const started = value('started');
  if (started === '' || startTime(pid) !== started) return undefined;
  return { pid, started, attachPort: Number(value('attach')), mqAck: value('mqack') === 'yes' };
}

/** The `.chmpx` and `.k2h` of a running chmpx. */
export class SharedMemory {
  readonly stem: string;
  readonly #head: SharedMemoryHead;
  #inode = 0;

  /**
   * Makes both files. A file that is there already, left by a crash or used by a chmpx that
   * runs, is moved to `.chmpx.bup`, `.bup.0`, `.bup.1` …
   */
  constructor(stem: string, head: SharedMemoryHead) {
    this.stem = stem;
    this.#head = head;
    if (existsSync(this.#file)) renameSync(this.#file, this.#freeName());
    writeFileSync(`${stem}.k2h`, '');
    truncateSync(`${stem}.k2h`, 136_175_616);
  }

  /** Shows a new state: what `chmpxstatus -self` prints, and what it prints without. */
  write(self: string, all: string): void {
    if (this.#inode !== 0 && this.#inode !== this.#currentInode()) return; // another took it away
    const { pid, started, attachPort, mqAck } = this.#head;
    const text =
      `pid ${pid}\nstarted ${started}\nattach ${attachPort}\nmqack ${mqAck ? 'yes' : 'no'}\n` +
      `--self\n${self}--all\n${all}--end\n`;
    const sibling = `${this.#file}.${pid}`;
    writeFileSync(sibling, text);
    truncateSync(sibling, FILE_SIZE);
    this.#inode = statSync(sibling).ino;
    renameSync(sibling, this.#file);
  }

  /** What a clean end leaves: nothing, if it is still ours. */
  remove(): void {
    if (this.#inode !== this.#currentInode()) return;
    rmSync(this.#file, { force: true });
    rmSync(`${this.stem}.k2h`, { force: true });
  }

  get #file(): string {
    return `${this.stem}.chmpx`;
  }

  #currentInode(): number | undefined {
    return statSync(this.#file, { throwIfNoEntry: false })?.ino;
  }

  #freeName(): string {
    const first = `${this.#file}.bup`;
    if (!existsSync(first)) return first;
    let number = 0;
    while (existsSync(`${first}.${number}`)) number += 1;
    return `${first}.${number}`;
  }
}
