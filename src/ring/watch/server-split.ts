import { sameServer, serverKey } from '../ring.ts';
import { isServing, type RingStatus } from '../status.ts';
import { ringSides, servesByItself } from './ring-split.ts';
import type { SplitPolicy, SplitVerdict } from './split-policy.ts';

/** A chmpx that starts is UP to the others before it has listened for so long (ms). */
const LISTENS_MS = 5_000;
/**
 * A chmpx that starts takes its view of the ring from the first one that it finds: it must not be
 * one that still is to give in. The agents of one side see a split within so long (ms).
 */
const HOLD_MS = 20_000;
/** It is normal for so long: a ring of two, and news of a crash, need some seconds (ms). */
const NORMAL_MS = 5_000;

/**
 * What a server does about a ring that is split although the network is whole: the smaller side
 * gives in. Agents have no channel to each other: each asks all servers of the role how they see the
 * ring, also those that it sees as down when they have listened for a while, and all come to the
 * same verdict, again in each round. Nobody is asked unless some server that is down listens, or one
 * that was asked sees this node as down.
 */
export const serverSplit: SplitPolicy = {
  normalMs: NORMAL_MS,
  patience: (giveInMs) => ({ listenMs: LISTENS_MS, verdictMs: giveInMs }),

  async judge({ ring, others, back, heard, wasSplit, ask }) {
    const seen = await ask(back);
    const views = new Map([...seen].filter(([key, view]) => servesByItself(key, view)));
    const isLost = heard.some((row) => row.live === 'DOWN' && sameServer(row, ring.self));
    if (views.size === 0 && !isLost && !wasSplit) return WHOLE;
    const up = await ask(others.filter(isServing));
    const all = new Map([...views, ...up, [serverKey(ring.self), ring.servers]]);
    const order = ring.servers.map(serverKey).filter((key) => all.has(key));
    const sides = ringSides(new Map(order.map((key) => [key, all.get(key) ?? []])));
    return sides && verdictOn(sides, ring);
  },
};

const WHOLE: SplitVerdict = { split: null, isWhole: true };

/** @param sides by `serverKey`, the one that stays first. */
function verdictOn(sides: readonly string[][], { self, servers }: RingStatus): SplitVerdict {
  if (sides.length < 2) return WHOLE;
  const nameOf = (key: string): string =>
    servers.find((one) => serverKey(one) === key)?.name ?? key;
  const namesOf = (side: readonly string[] = []): string => side.map(nameOf).join(', ');
  const stays = namesOf(sides[0]);
  const what = `the ring is split (${sides.map(namesOf).join(' | ')}) although these servers reach each other`;
  const at = sides.findIndex((side) => side.includes(serverKey(self)));
  if (at === 0) {
    const rest = `the programs of all but ${stays} should start again by themselves, else restart these by Trove`;
    return { split: { text: () => `${what}: ${rest}`, giveIn: null }, isWhole: false };
  }
  const own = sides[at] ?? [];
  const why = `the ring is split, and ${namesOf(own)} must give in to ${stays}`;
  const giveIn = { why, holdMs: own.length > 1 ? HOLD_MS : 0 };
  return { split: { text: (tries) => `${what}: ${helped(tries)}`, giveIn }, isWhole: false };
}

function helped(tries: number): string {
  return tries < 2
    ? 'the programs of this node start again'
    : `starting this node's programs again did not help ${tries} times: look at the network, its ports and its agent's log`;
}
