import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { geometryChanges, placeChanges } from '../../ini/start/data-keys.ts';
import { heldIni } from '../../ini/start/held-ini.ts';
import type { NodeIni } from '../../ini/text/node-ini.ts';
import { rollFor, unmoved, type Roll } from '../../ini/start/needed-roll.ts';
import { readPlainFile } from '../../host/plain-file.ts';
import { sectionsIn, sectionsOf } from '../../ini/text/sections.ts';
import { startKeys, type StartKeys } from '../../ini/start/start-keys.ts';
import { sameServer, serverKey } from '../../ring/ring.ts';
import type { RingStatus } from '../../ring/status.ts';
import type { RunningProgram } from '../../process/launcher.ts';
import type { KeptProgram } from './kept-program.ts';

/** A restart that a new ini asks for, as the plan sees it. */
export interface RollView {
  keys: string[];
  /** How long it has been asked for, in milliseconds. */
  waitedMs: number;
  /** Servers before this one in the ring that have not been seen to start again since. */
  before: number;
}

/** What a roll watch works with. */
export interface RollWatchOptions {
  iniFile: string;
  chmpx: Pick<KeptProgram, 'running'>;
  /** Whether the data has been moved, or need not be: the programs may start with another file. */
  left: () => boolean;
  clock: Clock;
  log: Logger;
}

/** What of an ini can be published now, and what must wait for a restart. */
interface Reading {
  of: unknown[];
  /** For the file; null: what is on disk stays, because no good file can be made of both. */
  ini: NodeIni | null;
  roll: Roll | null;
}

/**
 * Knows what the programs that run were started with, and so which keys of a new ini would be there
 * without anybody reading them. It is remembered with the process of chmpx, over agents too; of one
 * that somebody else has started it is taken to be what is on disk when it is first seen. The ini
 * has it for as long as chmpx runs, so that a k2hdkc that starts again meanwhile reads the same.
 */
export class RollWatch {
  readonly #options: RollWatchOptions;
  readonly #unrecorded = new WeakMap<RunningProgram, StartKeys>();
  /** What the chmpx that ran last was started with; null when its data was moved. */
  #last: StartKeys | null = null;
  #reading: Reading = { of: [], ini: null, roll: null };
  #keys = '';
  #since = 0;
  #seenAway = new Set<string>();

  constructor(options: RollWatchOptions) {
    this.#options = options;
  }

  /**
   * @param ini as the role asks for it; null when that is not known.
   * @param status the ring now.
   */
  async look(
    ini: NodeIni | null,
    status: RingStatus | null,
  ): Promise<{ published: boolean; roll: RollView | null }> {
    const onDisk = await this.onDisk();
    const reading = this.#read(ini, onDisk);
    return {
      published: reading.ini === null || reading.ini.text === onDisk,
      roll: this.#view(reading.roll, status),
    };
  }

  /**
   * The text to publish of this ini now; null: none. Says which keys mean nothing to a data file that
   * is there, and that another one takes its place.
   */
  async publishable(ini: NodeIni): Promise<string | null> {
    const onDisk = await this.onDisk();
    const { ini: next, roll } = this.#read(ini, onDisk);
    if (next !== null && next !== ini && roll === null) {
      this.#options.log.info('long queues count from the next start of the programs on');
    }
    const before = sectionsIn(onDisk ?? '');
    this.#warn(
      geometryChanges(before, sectionsOf(ini.model)),
      'the K2H keys count only when a data file is made: nothing starts again for them, and a file that is there keeps its size',
    );
    this.#warn(
      placeChanges(before, next ? sectionsOf(next.model) : []),
      'the data is elsewhere from this start on: nobody reads what is where it was',
    );
    return next?.text ?? null;
  }

  /** What the programs will have read when chmpx starts now. */
  async atStart(): Promise<StartKeys> {
    return startKeys(sectionsIn((await this.onDisk()) ?? ''));
  }

  onDisk(): Promise<string | null> {
    return readPlainFile(this.#options.iniFile).catch(() => null);
  }

  #read(ini: NodeIni | null, onDisk: string | null): Reading {
    const { chmpx, left } = this.#options;
    const { running } = chmpx;
    if (running === null && left()) this.#last = null;
    const of = [ini, running, this.#last];
    if (ini === null) return { of, ini: null, roll: null };
    if (of.every((part, n) => part === this.#reading.of[n])) return this.#reading;
    if (running) this.#last = this.#startedWith(running, onDisk, ini);
    // After a crash in front of the leave the data is still where it was.
    const started = running ? this.#last : this.#last && unmoved(ini.model, this.#last);
    this.#reading = { of, ini: heldIni(ini, started), roll: rollFor(ini.model, started) };
    return this.#reading;
  }

  #startedWith(running: RunningProgram, onDisk: string | null, ini: NodeIni): StartKeys {
    const known = running.spec.readAtStart ?? this.#unrecorded.get(running);
    if (known) return known;
    const assumed = startKeys(onDisk === null ? sectionsOf(ini.model) : sectionsIn(onDisk));
    this.#unrecorded.set(running, assumed);
    return assumed;
  }

  #view(roll: Roll | null, status: RingStatus | null): RollView | null {
    const { clock, log } = this.#options;
    const keys = roll?.keys.join(', ') ?? '';
    if (keys !== this.#keys) {
      this.#keys = keys;
      this.#since = clock.monotonic();
      this.#seenAway = new Set();
      if (roll) {
        log.info({ keys }, 'keys of the new ini count from a start on: restarting in turn');
      }
      if (roll?.leavesData) {
        log.warn(
          { keys },
          'the data does not stay where it is: what no other server takes over is left behind',
        );
      }
    }
    if (roll === null) return null;
    const waitedMs = clock.monotonic() - this.#since;
    return { keys: roll.keys, waitedMs, before: this.#before(status) };
  }

  #warn(keys: readonly string[], text: string): void {
    if (keys.length > 0) this.#options.log.warn({ keys }, text);
  }

  /** In a merge that an agent leads every server is out for a moment: that is no restart. */
  #before(status: RingStatus | null): number {
    if (status === null) return 0;
    const { self, servers } = status;
    for (const one of servers) {
      if (one.live !== 'UP' || one.suspended) this.#seenAway.add(serverKey(one));
    }
    const own = servers.findIndex((one) => sameServer(one, self));
    return servers
      .slice(0, Math.max(0, own))
      .filter((one) => one.live === 'UP' && !this.#seenAway.has(serverKey(one))).length;
  }
}
