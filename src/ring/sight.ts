import type { Random } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { OwnMerge } from './change/own-merge.ts';
import type { StatusReader } from './status-reader.ts';
import { statusWords, type RingNode, type RingStatus } from './status.ts';
import { ringWords } from './words.ts';

/** What the sight of a ring works with. */
export interface RingSightOptions {
  reader: StatusReader;
  ownMerge: Pick<OwnMerge, 'look' | 'forget' | 'hangs' | 'hung'>;
  clock: Clock;
  random: Random;
  log: Logger;
}

/**
 * The ring as this node's chmpx sees it: the only reader of chmpxstatus. Everybody who looks adds to
 * what all others see: since when the ring looks the same, and whether this node hangs in a merge.
 */
export class RingSight {
  readonly #options: RingSightOptions;
  #self: RingNode | null = null;
  #words = '';
  /** The same, when it could be seen last. */
  #seenWords = '';
  #ringSince: number;
  /** The status of this node in chmpx's own words; empty when it could not be seen. */
  #ownWords = '';
  #ownSince: number;
  #tieJitter: number;
  /** Looks that have begun, and which of them was noted last. */
  #begun = 0;
  #noted = 0;

  constructor(options: RingSightOptions) {
    this.#options = options;
    this.#tieJitter = options.random();
    this.#ringSince = this.#ownSince = options.clock.monotonic();
  }

  /** This node as it was seen last, also while it cannot be seen; null before the first time. */
  get self(): RingNode | null {
    return this.#self;
  }

  /** The ring in short, for logs; empty when it could not be seen. */
  get words(): string {
    return this.#words;
  }

  /** How long the statuses of all servers have been the same, in milliseconds. */
  get ringStillMs(): number {
    return this.#options.clock.monotonic() - this.#ringSince;
  }

  /** How long the status of this node has been the same, in milliseconds. */
  get ownStillMs(): number {
    return this.#options.clock.monotonic() - this.#ownSince;
  }

  /** In [0, 1), drawn again whenever the ring changes: for ties with agents that see the same. */
  get tieJitter(): number {
    return this.#tieJitter;
  }

  /** This node is Doing, and hangs. */
  get hangs(): boolean {
    return this.#options.ownMerge.hangs;
  }

  /** This node hung when a merge was aborted, and has not merged since. */
  get hung(): boolean {
    return this.#options.ownMerge.hung;
  }

  /** Why the status cannot be read at all, whatever chmpx does; null when it can. */
  get problem(): string | null {
    return this.#options.reader.problem();
  }

  /** Reads the ring now. Null: chmpx does not run, or the status cannot be read. */
  async look(): Promise<RingStatus | null> {
    this.#begun += 1;
    const turn = this.#begun;
    const status = await this.#options.reader.read();
    // Of two that look at the same time, the answer of the earlier one can come later.
    if (turn > this.#noted) {
      this.#noted = turn;
      this.#note(status);
    }
    return status;
  }

  /** chmpx does not run: there is nothing to be seen. */
  blind(): null {
    this.#noted = this.#begun;
    this.#options.ownMerge.forget();
    this.#note(null, true);
    return null;
  }

  #note(status: RingStatus | null, isBlind = false): void {
    const { clock, random, log, ownMerge } = this.#options;
    if (status) ownMerge.look(status);
    this.#self = status?.self ?? this.#self;
    const now = clock.monotonic();
    this.#words = status ? ringWords(status) : '';
    // One reading that failed is no change of the ring.
    if (this.#words !== this.#seenWords && (status || isBlind)) {
      this.#seenWords = this.#words;
      this.#ringSince = now;
      this.#tieJitter = random();
    }
    const ownWords = status ? statusWords(status.self) : '';
    if (ownWords === this.#ownWords) return;
    this.#ownWords = ownWords;
    this.#ownSince = now;
    log.info({ status: ownWords || 'none' }, 'chmpx status');
  }
}
