import { rm } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import type { Clock } from '../../base/clock.ts';
import { codeOf } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { writeFileAtomic } from '../../host/atomic-file.ts';
import { readPlainFile } from '../../host/plain-file.ts';
import { IDLE, type Leave } from './leave.ts';

/** `leave.json`: a leave that the next agent goes on with. */
const RECORD = v.variant('is', [
  v.object({
    is: v.picklist(['leaving', 'restarting']),
    kind: v.picklist(['stop', 'good']),
    /** Wall clock, in milliseconds: the monotonic clock begins again with each agent. */
    until: v.pipe(v.number(), v.finite()),
  }),
  v.object({ is: v.literal('left'), kind: v.literal('good'), moved: v.boolean() }),
]);

/** What a leave record is kept with. Times in milliseconds. */
export interface LeaveRecordOptions {
  stateDirectory: string;
  /** The longest time that a leave may have left, whatever the wall clock says. */
  limits: Readonly<Record<'stop' | 'good', number>>;
  clock: Clock;
  log: Logger;
}

/** Whatever the wall clock says: of its limit a leave that goes on has this share left at least. */
const LEAST_SHARE = 0.3;

/**
 * Keeps a leave over a crash of the agent: one whose programs start again in order to leave would
 * otherwise look like one that has left, and one that has left for good would start once more to leave.
 * A restart is not kept: the next agent plans it again.
 */
export class LeaveRecord {
  readonly #options: LeaveRecordOptions;
  readonly #file: string;
  #kept = '';
  #writing: Promise<void> = Promise.resolve();

  constructor(options: LeaveRecordOptions) {
    this.#options = options;
    this.#file = path.join(options.stateDirectory, 'leave.json');
  }

  /** What the last agent was at. A record that cannot be read is put in the log and means idle. */
  async read(): Promise<Leave> {
    const { clock, limits, log } = this.#options;
    try {
      const text = await readPlainFile(this.#file);
      this.#kept = text;
      const record = v.parse(RECORD, JSON.parse(text));
      if (record.is === 'left') return record;
      const { is, kind, until } = record;
      const longest = limits[kind];
      const leftMs = Math.min(Math.max(LEAST_SHARE * longest, until - clock.wall()), longest);
      return { is, kind, deadline: clock.monotonic() + leftMs };
    } catch (err) {
      if (codeOf(err) !== 'ENOENT') {
        log.warn({ err, file: this.#file }, 'the record of a leave is of no use');
      }
      return IDLE;
    }
  }

  /** Keeps this state; resolves when it is on disk, or cannot be, which is logged. */
  async keep(leave: Leave): Promise<void> {
    const text = this.#textOf(leave);
    if (text === this.#kept) return this.#writing;
    this.#kept = text;
    this.#writing = this.#writing.then(() => this.#write(text));
    await this.#writing;
  }

  #textOf(leave: Leave): string {
    if (leave.is === 'left' && leave.kind === 'good') return JSON.stringify(leave);
    if (leave.is !== 'leaving' && leave.is !== 'restarting') return '';
    const { is, kind, deadline } = leave;
    if (kind === 'restart') return '';
    const { clock } = this.#options;
    return JSON.stringify({
      is,
      kind,
      until: Math.round(clock.wall() + deadline - clock.monotonic()),
    });
  }

  async #write(text: string): Promise<void> {
    try {
      if (text === '') await rm(this.#file, { force: true });
      else await writeFileAtomic(this.#file, text);
    } catch (err) {
      const what = 'a leave cannot be recorded: an agent that is killed now forgets it';
      this.#options.log.warn({ err, file: this.#file }, what);
    }
  }
}
