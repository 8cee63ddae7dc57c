import { createHash } from 'node:crypto';

/** What can go wrong with a node by bad luck, and how often it does (README.md). */
export interface HazardChances {
  /** An automatic join stays ADD Doing: the k2hdkc's answer was lost. */
  hang: number;
  /** An automatic join stays ADD Done: nobody completes it. */
  unfinished: number;
  /** The same of one that is back with another k2hdkc: n/a Done. */
  unfinishedReturn: number;
  /** An automatic leave stays DELETE Done. */
  unfinishedLeave: number;
  /** One of several that join at once is stuck. */
  together: number;
  /** A joiner that another does not have in its ini yet stays out and down. */
  early: number;
  /** A server stays Doing in a merge that was commanded: its k2hdkc's answer was lost. */
  lostAnswer: number;
}

/**
 * The bad luck of one life of a chmpx. It depends on the seed, on the node's place in the ring and
 * on how often it was started before, so that the same run has the same luck, and a restart can
 * cure it.
 */
export class Hazards {
  readonly #chances: HazardChances;
  readonly #seed: number;
  readonly #life: number;

  constructor(chances: HazardChances, seed: number, life: number) {
    this.#chances = chances;
    this.#seed = seed;
    this.#life = life;
  }

  /** Whether it strikes a node at this place; the same answer for the whole life. */
  strikes(hazard: keyof HazardChances, place: number): boolean {
    return this.draw(hazard, place) < this.#chances[hazard];
  }

  /** A number in [0, 1) for anything else that is left to chance. */
  draw(what: string, place: number): number {
    const text = `${this.#seed} ${what} ${place} ${this.#life}`;
    return createHash('sha1').update(text).digest().readUInt32BE() / 2 ** 32;
  }
}
