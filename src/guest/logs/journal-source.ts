import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { childEnvironment } from '../../base/child-environment.ts';
import { AgentError, messageOf } from '../../base/errors.ts';
import { onOneLine } from '../../base/text.ts';
import { ENTRY_FIELDS, parseEntry, type JournalEntry } from './journal-entry.ts';
import {
  leftOut,
  LONGEST_LINE,
  type LogLine,
  type LogSource,
  type Position,
} from './log-source.ts';
import { splitLines } from './split-lines.ts';

/** JSON writes a byte that is no text with up to five characters. */
const LONGEST_JSON = 6 * LONGEST_LINE;
/** So much is kept of what journalctl complains of (bytes). */
const MOST_COMPLAINT = 2048;

/**
 * What a unit has written to the journal, and what systemd says about it. A position is a cursor: for one that is
 * no longer there, as after a boot when the journal is in memory, journalctl begins with what came later.
 */
export class JournalSource implements LogSource {
  readonly label: string;
  readonly #unit: string;
  readonly #command: string;

  /** @param command is another journalctl in tests. */
  constructor(unit: string, command = 'journalctl') {
    this.label = `journal:${unit}`;
    this.#unit = unit;
    this.#command = command;
  }

  async *read(from: Position | null, signal: AbortSignal): AsyncGenerator<LogLine, void> {
    let held: Held | null = null;
    for await (const entry of this.#entries(
      from?.kind === 'journal' ? from.cursor : null,
      signal,
    )) {
      if (held !== null && held.goesOn !== entry.stream) {
        yield held.line();
        held = null;
      }
      held ??= new Held(entry.prefix);
      held.add(entry);
      if (held.goesOn !== null) continue;
      yield held.line();
      held = null;
    }
  }

  async *#entries(cursor: string | null, signal: AbortSignal): AsyncGenerator<JournalEntry, void> {
    const fields = ENTRY_FIELDS.join(',');
    const child = spawn(
      this.#command,
      [
        '--quiet',
        '--no-pager',
        '--all',
        '--output=json',
        `--output-fields=${fields}`,
        `--unit=${this.#unit}`,
        ...(cursor === null ? [] : [`--cursor=${cursor}`]),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: childEnvironment(), signal },
    );
    const ended = endOf(child);
    try {
      for await (const { bytes } of splitLines(child.stdout, LONGEST_JSON)) {
        const entry = bytes === null ? null : parseEntry(bytes);
        // Not --after-cursor: it leaves out one entry, also one that is not that of the cursor.
        if (entry !== null && entry.cursor !== cursor) yield entry;
      }
      const why = await ended;
      signal.throwIfAborted();
      if (why !== null) throw new AgentError(`${this.label} cannot be read: ${why}`);
    } finally {
      child.kill();
    }
  }
}

/** A line that may come in several entries: the journal cuts one after 48 KiB. */
class Held {
  goesOn: string | null = null;
  readonly #parts: Buffer[];
  #length: number;
  #cursor = '';

  constructor(prefix: string) {
    this.#parts = [Buffer.from(prefix)];
    this.#length = prefix.length;
  }

  add({ cursor, message, goesOn }: JournalEntry): void {
    this.goesOn = goesOn;
    this.#cursor = cursor;
    this.#length += message.length;
    if (this.#length <= LONGEST_LINE) this.#parts.push(message);
  }

  line(): LogLine {
    const whole = Buffer.concat([...this.#parts, Buffer.from('\n')]);
    const bytes = this.#length <= LONGEST_LINE ? whole : leftOut(this.#length);
    const after = { kind: 'journal', cursor: this.#cursor } as const;
    return { bytes, source: bytes.length, after };
  }
}

/** Why journalctl failed, or null; never rejects. */
async function endOf(child: ChildProcess): Promise<string | null> {
  let complaint = '';
  child.stderr?.on('data', (piece: Buffer) => {
    complaint = (complaint + piece.toString()).slice(0, MOST_COMPLAINT);
  });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (code === 0) return null;
    return onOneLine(complaint) || `journalctl ended with ${code ?? 'a signal'}`;
  } catch (error) {
    return messageOf(error); // there is no journalctl, or it was broken off
  }
}
