import { systemClock, type Clock } from '../../../src/base/clock.ts';
import type { HazardChances } from './hazards.ts';

/** What a test can ask of the stand-ins; each variable is described in README.md. */
export interface Settings {
  clock: Clock;
  /** Numbers in [0, 1): the same sequence in every process with the same seed. */
  random: () => number;
  /** Milliseconds from the start of chmpx to its shared memory. */
  chmpxStart: number;
  /** Milliseconds from the start of k2hdkc to its attaching. */
  k2hdkcStart: number;
  /** Milliseconds from being up until the process kills itself, or undefined: never. */
  chmpxCrash: number | undefined;
  k2hdkcCrash: number | undefined;
  /** What happens to a node whose chmpx was restarted under a living k2hdkc. */
  stick: 'sequence' | 'always' | 'never';
  /** Every so manieth back-to-back request on the control port takes 5 s; 0 for none. */
  stallEvery: number;
  /** Whether a request during the start holds up the join. */
  pollHurts: boolean;
  /** When chmpx ends by a segmentation fault: `reload` adds the end by a bad ini. */
  segfault: 'unnoticed' | 'reload' | 'never';
  /** The one address that is this node's machine; undefined for all that the machine has. */
  address: string | undefined;
  seed: number;
  hazards: HazardChances;
  /** How long a merge with others takes at least, in milliseconds. */
  mergeTime: number;
  /** A connection between servers that was cut without traffic ends after so long (ms). */
  keepAlive: number;
  /** How long a client's request waits for its answer, in milliseconds. */
  patience: number;
}

/** Reads the `ANTPICKAX_STANDIN_…` variables. Throws on a word that is not in README.md. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const seed = number(env, 'SEED') ?? 1;
  const random = seededRandom(seed);
  const address = env['ANTPICKAX_STANDIN_ADDRESS'];
  const hazards = word(env, 'HAZARDS', ['measured', 'none']);
  const chance = (name: string, measured: number): number =>
    number(env, name) ?? (hazards === 'none' ? 0 : measured);
  return {
    clock: systemClock,
    random,
    chmpxStart: number(env, 'CHMPX_START_MS') ?? 50 + 100 * random(),
    k2hdkcStart: number(env, 'K2HDKC_START_MS') ?? 10 + 100 * random(),
    chmpxCrash: number(env, 'CHMPX_CRASH_MS'),
    k2hdkcCrash: number(env, 'K2HDKC_CRASH_MS'),
    stick: word(env, 'STICK', ['sequence', 'always', 'never']),
    stallEvery: number(env, 'STALL_EVERY') ?? 8,
    pollHurts: word(env, 'POLL_HURTS', ['on', 'off']) === 'on',
    segfault: word(env, 'SEGFAULT', ['unnoticed', 'reload', 'never']),
    address: address === '' ? undefined : address,
    seed,
    hazards: {
      hang: chance('HANG', 0.05),
      unfinished: chance('UNFINISHED', 0.07),
      unfinishedReturn: chance('UNFINISHED_RETURN', 0),
      unfinishedLeave: chance('UNFINISHED_LEAVE', 0),
      together: chance('TOGETHER', 0.1),
      early: chance('EARLY', 0.5),
      lostAnswer: chance('LOST_ANSWER', 0.07),
    },
    mergeTime: number(env, 'MERGE_MS') ?? 100,
    keepAlive: number(env, 'KEEPALIVE_MS') ?? 90_000,
    patience: number(env, 'PATIENCE_MS') ?? 9500,
  };
}

function number(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[`ANTPICKAX_STANDIN_${name}`];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) {
    throw new Error(`ANTPICKAX_STANDIN_${name}=${text} is not a number`);
  }
  return value;
}

function word<T extends string>(env: NodeJS.ProcessEnv, name: string, known: [T, ...T[]]): T {
  const text = env[`ANTPICKAX_STANDIN_${name}`] ?? known[0];
  const found = known.find((one) => one === text);
  if (found === undefined) {
    throw new Error(`ANTPICKAX_STANDIN_${name}=${text} is none of ${known.join(', ')}`);
  }
  return found;
}

/** A small generator with good enough spread (a 32-bit Weyl sequence, mixed). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x45d9f3b);
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}
