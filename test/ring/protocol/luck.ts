import type { Random } from '../../../src/base/backoff.ts';

/** How unkind a run is: chances in 0 to 1, times in milliseconds. */
export interface Unkindness {
  /** A server that merges stays Doing: its k2hdkc's answer was lost, or the request to another was. */
  lostAnswer: number;
  lostRequest: number;
  /** A merge takes long, with both programs idle at first. */
  longMerge: number;
  /** A command never arrives, or its answer does not, or it takes 5 s. */
  lostCommand: number;
  lostReply: number;
  stall: number;
  /** chmpxstatus fails once. */
  unreadable: number;
  /** An automatic merge that is Done is completed by nobody. */
  unfinished: number;
  /** A command to the ring passes from server to server, which takes up to so long each (ms). */
  hopMs: number;
  /** What the others do is seen so much later, in milliseconds, and so much later now and then. */
  lagMs: number;
  lagAtTimesMs: number;
}

/** Nothing goes wrong. */
export const KIND: Unkindness = {
  lostAnswer: 0,
  lostRequest: 0,
  longMerge: 0,
  lostCommand: 0,
  lostReply: 0,
  stall: 0,
  unreadable: 0,
  unfinished: 0,
  hopMs: 0,
  lagMs: 20,
  lagAtTimesMs: 20,
};

/** What chance decides in one run; the same seed decides the same. */
export class Luck {
  readonly unkindness: Unkindness;
  readonly random: Random;
  /** It has struck. */
  onStrike: (what: string) => void = () => undefined;

  constructor(unkindness: Unkindness, random: Random) {
    this.unkindness = unkindness;
    this.random = random;
  }

  strikes(what: Exclude<keyof Unkindness, 'hopMs' | 'lagMs' | 'lagAtTimesMs'>): boolean {
    const chance = this.unkindness[what];
    const isHit = chance > 0 && this.random() < chance;
    if (isHit) this.onStrike(what);
    return isHit;
  }

  /** A number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + (most - least) * this.random();
  }

  /** One of them. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.random() * items.length)];
  }

  /** How long this chmpx sees others late, until it is drawn again (ms). */
  lag(): number {
    const { lagMs, lagAtTimesMs } = this.unkindness;
    return this.random() < 0.1 ? this.between(lagMs, lagAtTimesMs) : this.between(0, lagMs);
  }
}
