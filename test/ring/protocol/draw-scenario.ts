import { randomFrom } from '../../helpers/random-from.ts';
import { KIND, Luck, type Unkindness } from './luck.ts';
import type { Event, Happening, Scenario } from './scenario.ts';

const LETTERS = 'abcdefg';

/** Makes a run of a seed: a ring, what is wanted of it, and what goes wrong meanwhile. */
export function drawScenario(seed: number): Scenario {
  const luck = new Luck(KIND, randomFrom(seed * 2 + 1));
  const mode = luck.random() < 0.15 ? 'automatic' : 'coordinated';
  const count = luck.pick([2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7]) ?? 3;
  const machines = LETTERS.slice(0, count);
  const isMade = luck.random() < 0.3;
  const serving = isMade ? '' : machines.slice(0, luck.random() < 0.5 ? count : count - 1);
  const events = isMade
    ? Array.from(machines, (of) => ({ at: luck.between(0, 4_000), what: prepare(of) }))
    : Array.from(machines.slice(serving.length), (of) => ({ at: 0, what: prepare(of) }));
  const wishes = new Wishes(luck, machines);
  let at = isMade ? luck.between(2_000, 30_000) : 0;
  for (let n = Math.floor(luck.between(0, 3)); n > 0; n -= 1) {
    at += luck.between(0, 20_000);
    events.push(...wishes.draw(at));
  }
  const faults = new Faults(luck, machines);
  for (let n = Math.floor(luck.between(0, 3.5)); n > 0; n -= 1) {
    // Mostly while something is under way.
    const near = luck.pick(events)?.at ?? 0;
    events.push(...faults.draw(near + luck.between(0, 12_000) * luck.random()));
  }
  // Drawn apart, so that all else of a seed is as it was.
  const cuts = new Luck(KIND, randomFrom(seed * 3 + 2));
  if (mode === 'coordinated' && serving.length > 1 && cuts.random() < 0.15) {
    const of = cuts.pick(Array.from(serving)) ?? 'a';
    const at = cuts.between(1_000, 30_000);
    const forMs = cuts.between(8_000, 90_000);
    events.push({ at, what: { do: 'boot-cut-off', of, forMs } });
  }
  events.sort((a, b) => a.at - b.at);
  return { seed, mode, machines, serving, unkindness: drawUnkindness(luck), events };
}

function prepare(of: string): Happening {
  return { do: 'prepare', of };
}

/** What is wanted of machines: each of one at most. */
class Wishes {
  readonly #luck: Luck;
  readonly #free: Set<string>;
  #leave: number;

  constructor(luck: Luck, machines: string) {
    this.#luck = luck;
    this.#free = new Set(machines);
    this.#leave = machines.length - 1;
  }

  draw(at: number): Event[] {
    const luck = this.#luck;
    const of = luck.pick([...this.#free]);
    if (of === undefined) return [];
    const what = luck.pick(['leave', 'leave', 'stop-db', 'restart', 'new-values'] as const);
    if (what === 'new-values') return [{ at, what: { do: what } }];
    if (what === undefined || (what === 'leave' && this.#leave === 0)) return [];
    this.#free.delete(of);
    if (what === 'leave') this.#leave -= 1;
    const event: Event = { at, what: { do: what, of } };
    if (what !== 'stop-db') return [event];
    return [event, { at: at + luck.between(5_000, 60_000), what: { do: 'restart', of } }];
  }
}

/** What goes wrong with machines: one of them can die, of four and more two. */
class Faults {
  readonly #luck: Luck;
  readonly #machines: string[];
  #mayDie: number;

  constructor(luck: Luck, machines: string) {
    this.#luck = luck;
    this.#machines = Array.from(machines);
    this.#mayDie = machines.length > 3 ? 2 : machines.length - 2;
  }

  draw(at: number): Event[] {
    const luck = this.#luck;
    const of = luck.pick(this.#machines) ?? 'a';
    const kind = luck.random();
    if (kind < 0.3) {
      const program = luck.pick(['chmpx', 'k2hdkc'] as const) ?? 'chmpx';
      const event: Event = { at, what: { do: 'crash', of, program } };
      if (luck.random() < 0.7) return [event];
      const other = program === 'chmpx' ? 'k2hdkc' : 'chmpx';
      return [event, { at: at + 5, what: { do: 'crash', of, program: other } }];
    }
    if (kind < 0.6) {
      return [{ at, what: { do: 'kill-agent', of, forMs: luck.between(200, 40_000) } }];
    }
    if (kind < 0.75) {
      return [{ at, what: { do: 'reboot', of, forMs: luck.between(2_000, 60_000) } }];
    }
    if (kind < 0.85 && this.#mayDie > 0) {
      this.#mayDie -= 1;
      this.#machines.splice(this.#machines.indexOf(of), 1);
      const later = at + luck.between(1_000, 120_000);
      return [
        { at, what: { do: 'die', of } },
        { at: later, what: { do: 'take-out', of } },
      ];
    }
    const by = luck.pick(['answer', 'request'] as const) ?? 'answer';
    return [{ at, what: { do: 'hang', of, by } }];
  }
}

function drawUnkindness(luck: Luck): Unkindness {
  const kind = luck.random();
  if (kind < 0.3) return KIND;
  const often = kind < 0.8 ? 1 : 3;
  return {
    lostAnswer: 0.04 * often,
    lostRequest: 0.02 * often,
    longMerge: 0.03 * often,
    lostCommand: 0.01 * often,
    lostReply: 0.01 * often,
    stall: 0.04 * often,
    unreadable: 0.002 * often,
    unfinished: 0.07,
    hopMs: 15,
    lagMs: 120,
    lagAtTimesMs: 400 * often,
  };
}
