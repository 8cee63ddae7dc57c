import { describe, expect, it } from 'vitest';
import { serverSplit } from '../../../src/ring/watch/server-split.ts';
import { SplitWatch } from '../../../src/ring/watch/split-watch.ts';
import { sleep } from '../../../src/base/clock.ts';
import type { RingNode } from '../../../src/ring/status.ts';
import { ring } from '../rings.ts';
import { ManualClock } from '../../base/manual-clock.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const GIVE_IN_MS = 20_000;
/** Between two looks of a ring watch (ms). */
const LOOK_MS = 2_000;

/** The agents of a ring of five, whose network and views a test writes. */
class Agents {
  readonly clock = new ManualClock();
  /** Whom each takes for down. */
  lost: Record<string, string>;
  /** Whom nobody reaches. */
  cut = '';
  /** Whose control port takes connections and never answers. */
  hung = '';
  /** Whose k2hdkc never came, for all to see. */
  outside = '';
  role = new Set(NAMES.map((name) => `cuk-${name}`));
  /** Who was asked, and who started again when, in seconds. */
  readonly asked: string[] = [];
  readonly gaveIn: string[] = [];
  readonly watches: Map<string, SplitWatch>;

  constructor(lost: Record<string, string>) {
    this.lost = { ...lost };
    const make = (name: string): [string, SplitWatch] => {
      const watch = new SplitWatch({
        policy: serverSplit,
        listens: (server) => Promise.resolve(this.#isThere(server, name)),
        viewOf: (server, limitMs) => this.#viewOf(server, name, limitMs),
        role: () => this.role,
        giveInAfterMs: GIVE_IN_MS,
        clock: this.clock,
      });
      return [name, watch];
    };
    this.watches = new Map(Object.keys(lost).map(make));
  }

  /** All look every 2 s; the programs of who gives in do so, and nothing comes of it. */
  async run(seconds: number): Promise<void> {
    for (let passed = 0; passed < seconds * 1000; passed += LOOK_MS) {
      for (const [name, watch] of this.watches) {
        void watch.look(this.#ring(name));
        if (watch.giveIn === null) continue;
        const { holdMs } = watch.giveIn;
        watch.gaveIn();
        const second = Math.round(this.clock.monotonic() / 1000);
        this.gaveIn.push(`${name} ${second}${holdMs > 0 ? ' held' : ''}`);
      }
      await this.clock.advance(LOOK_MS);
    }
  }

  words(name: string): string[] {
    const found = this.watches.get(name)?.findings ?? [];
    return found.map(({ kind, text }) => `${kind}: ${text}`);
  }

  #ring(name: string): ReturnType<typeof ring> {
    const words = NAMES.map((one) => {
      if (this.outside.includes(one)) return 'OUT Suspend';
      return this.lost[name]?.includes(one) ? 'OUT DOWN' : 'IN';
    });
    return ring(name, ...words);
  }

  #isThere({ name }: RingNode, from: string): boolean {
    return name in this.lost && this.cut.includes(name) === this.cut.includes(from);
  }

  async #viewOf(server: RingNode, from: string, limitMs: number): Promise<RingNode[]> {
    this.asked.push(`${from}>${server.name}`);
    if (this.#isThere(server, from) && !this.hung.includes(server.name)) {
      return this.#ring(server.name).servers;
    }
    await sleep(this.clock, limitMs);
    throw new Error('no answer');
  }
}

const ONE_CUT_OFF = { a: 'c', b: 'c', c: 'a', d: 'c', e: 'c' };

describe('a split ring', () => {
  it.each<[string, Record<string, string>, string[]]>([
    ['one that was cut off gives in', ONE_CUT_OFF, ['c']],
    ['the first one too', { a: 'b', b: 'a', c: 'a', d: 'a', e: 'a' }, ['a']],
    ['the smaller side at once', { a: 'c', b: 'c', c: 'a', d: 'a', e: 'a' }, ['a held', 'b held']],
    ['of two the second', { a: 'b', b: 'a' }, ['b']],
  ])('%s, some 30 s after the network is whole', async (_, lost, expected) => {
    const agents = new Agents(lost);
    agents.role = new Set(Object.keys(lost).map((name) => `cuk-${name}`));
    agents.cut = expected.map((words) => words.charAt(0)).join('');
    await agents.run(60);
    expect(agents.gaveIn).toEqual([]);
    expect(agents.asked).toEqual([]);
    agents.cut = '';
    await agents.run(40);
    expect(agents.gaveIn.map((words) => words.replace(/ \d+/, ''))).toEqual(expected);
    const seconds = agents.gaveIn.map((words) => Number(/\d+/.exec(words)?.[0]));
    for (const second of seconds) {
      expect(second).toBeGreaterThanOrEqual(85);
      expect(second).toBeLessThanOrEqual(95);
    }
  });

  it('comes together beside a server that never gets into it', async () => {
    const agents = new Agents({ a: 'c', b: 'c', c: 'ab', e: '' });
    agents.outside = 'e';
    agents.watches.delete('e');
    agents.role.delete('cuk-d');
    await agents.run(40);
    expect(agents.gaveIn).toEqual([expect.stringMatching(/^c /)]);
    expect(agents.asked.filter((words) => words.endsWith('e'))).toEqual([]);
  });

  it('that this node cannot know of is told by the one that it asks', async () => {
    const agents = new Agents({ ...ONE_CUT_OFF, c: '' });
    await agents.run(20);
    expect(agents.asked.filter((words) => words.startsWith('c'))).toEqual([]);
    agents.watches.get('c')?.heard(ring('d', 'IN', 'IN', 'OUT DOWN', 'IN', 'IN').servers);
    await agents.run(40);
    expect(agents.gaveIn).toEqual([expect.stringMatching(/^c /)]);
  });

  it('is said to both sides', async () => {
    const agents = new Agents(ONE_CUT_OFF);
    await agents.run(20);
    const both = 'ring-split: the ring is split (a, b, d, e | c)';
    expect(agents.words('a')).toEqual([expect.stringContaining(both)]);
    expect(agents.words('a')[0]).toContain('all but a, b, d, e should start again by themselves');
    expect(agents.words('c')[0]).toContain('the programs of this node start again');
    for (const name of Object.keys(agents.lost)) agents.lost[name] = '';
    await agents.run(20);
    expect([agents.words('a'), agents.words('c')]).toEqual([[], []]);
    expect(agents.gaveIn).toEqual([]);
  });

  it('is left alone ever longer when starting again does not help, and that is said', async () => {
    const agents = new Agents(ONE_CUT_OFF);
    await agents.run(400);
    const seconds = agents.gaveIn.map((words) => Number(words.slice(2)));
    const pauses = seconds.map((second, at) => second - (seconds[at - 1] ?? 0));
    expect(pauses).toHaveLength(4);
    for (const [at, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(20 * 2 ** at);
      expect(pause).toBeLessThanOrEqual(20 * 2 ** at + 20);
    }
    expect(agents.words('c')[0]).toContain('did not help 4 times: look at the network');
  });
});

describe('no split', () => {
  it.each<[string, (agents: Agents) => void]>([
    ['a server that is down', (agents) => delete agents.lost['c']],
    ['one that hangs', (agents) => (agents.hung = 'c')],
    ['one that is cut off', (agents) => (agents.cut = 'c')],
    ['one that is not in the role', (agents) => agents.role.delete('cuk-c')],
  ])('%s', async (_, change) => {
    const agents = new Agents(ONE_CUT_OFF);
    change(agents);
    agents.watches.delete('c');
    await agents.run(120);
    expect(agents.gaveIn).toEqual([]);
    expect(agents.words('a')).toEqual([]);
  });

  it('asks the others only when the one that listens answers', async () => {
    const agents = new Agents(ONE_CUT_OFF);
    agents.hung = 'c';
    agents.watches.delete('c');
    await agents.run(60);
    expect(new Set(agents.asked)).toEqual(new Set(['a>c', 'b>c', 'd>c', 'e>c']));
  });

  it('lasts that comes and goes', async () => {
    const agents = new Agents(ONE_CUT_OFF);
    for (let n = 0; n < 8; n++) {
      await agents.run(24);
      agents.lost = { a: '', b: '', c: '', d: '', e: '' };
      await agents.run(10);
      agents.lost = { ...ONE_CUT_OFF };
    }
    expect(agents.gaveIn).toEqual([]);
  });

  it('asks nobody while a ring is whole or a server has just begun to listen', async () => {
    const agents = new Agents({ a: '', b: '', c: '', d: '', e: '' });
    await agents.run(60);
    for (const name of 'abde') agents.lost[name] = 'c';
    await agents.run(4);
    for (const name of 'abde') agents.lost[name] = '';
    await agents.run(60);
    expect(agents.asked).toEqual([]);
  });
});
