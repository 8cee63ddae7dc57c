import { serverKey } from '../ring.ts';
import { isServing } from '../status.ts';
import type { SplitPolicy } from './split-policy.ts';

/**
 * What a slave does about servers that it has lost in a cut although they serve. Its chmpx finds one
 * of them again when it had lost all, and places all keys on that one: most are not found then (chmpx
 * 1.0.113, for good). There are many slaves: a server that is down is only connected to, and one
 * question goes to one that is up when a lost one has listened for as long as this slave is patient.
 */
export const slaveSplit: SplitPolicy = {
  normalMs: 0,
  patience: (giveInMs) => ({ listenMs: giveInMs, verdictMs: 0 }),

  async judge({ ring, lost, back, ask }) {
    const up = back.length > 0 ? ring.servers.filter(isServing).slice(0, 1) : [];
    const views = [...(await ask(up)).values()];
    const serving = new Set(views.flat().filter(isServing).map(serverKey));
    const found = back.filter((one) => serving.has(serverKey(one)));
    if (found.length === 0) return { split: null, isWhole: lost.length === 0 };
    const names = found.map(({ name }) => name).join(', ');
    const why = `${names} serve in the ring, and this slave has lost them in a cut`;
    const text = (): string => `${why}: chmpx of this slave starts again`;
    return { split: { text, giveIn: { why, holdMs: 0 } }, isWhole: false };
  },
};
