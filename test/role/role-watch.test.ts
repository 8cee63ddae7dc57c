import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DesiredState } from '../../src/node/desired-state.ts';
import type { RoleWish } from '../../src/role/registration.ts';
import type { Registration } from '../../src/role/registration.ts';
import type { RoleDocument } from '../../src/role/role-document.ts';
import { RoleRefusedError } from '../../src/role/role-refused.ts';
import { RoleWatch } from '../../src/role/role-watch.ts';
import type { ResourceReading } from '../../src/k2hr3/resource.ts';
import { deferred } from '../helpers/deferred.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { iniOf } from '../ini/roles.ts';
import { WatchedClock } from '../base/watched-clock.ts';
import { desiredState, OTHER_PARAMETERS, PARAMETERS, registrationFor } from '../node/builders.ts';

const SETTLED = 5_000;
const CHANGING = 500;
const REFUSED = 'a role document changes nothing';
const DOUBTFUL = 'the role is doubtful: reading it again';
const PROBLEM = 'the role cannot be read; the last good one stays in use';

const INI = iniOf();

/** The text of a role with these servers; `self` is this node, and `bad` is not sane. */
function parse(text: string, { registration, parameters }: RoleWish): RoleDocument {
  if (!registration || !parameters) throw new Error('no role is wanted now');
  const servers = text.split(',');
  if (servers.includes('bad')) {
    throw new RoleRefusedError('bad');
  }
  return {
    ini: servers.includes('self') ? { ...INI, text: `ini of ${text}` } : null,
    servers,
    neighbours: [],
    cuks: new Set(servers),
    dataDirectory: null,
    k2h: null,
    roleFile: null,
  };
}

interface Bench {
  watch: RoleWatch;
  clock: WatchedClock;
  state: string;
  texts: string[];
  lines: Record<string, unknown>[];
  /** Servers whose names nobody knows. */
  names: Set<string>;
  /** When the role was read, with which etag, for whom. */
  reads: { at: number; etag: string | undefined; registration: Registration }[];
  /** What K2HR3 says: a text (its etag is the text in capitals), or how it fails. */
  k2hr3: { says: string | Error | Promise<ResourceReading> };
  desired: { current: DesiredState };
  changes: () => number;
  run: () => Promise<void>;
}

async function bench(says: string | Error, state?: string): Promise<Bench> {
  const stateDirectory = state ?? (await temporaryDirectory());
  const clock = new WatchedClock();
  const { log, texts, lines } = recordingLog();
  const names = new Set(['unknown']);
  const reads: Bench['reads'] = [];
  const k2hr3: Bench['k2hr3'] = { says };
  const desired = { current: desiredState() };
  let changes = 0;
  const read = async (
    registration: Registration,
    etag: string | undefined,
  ): Promise<ResourceReading> => {
    reads.push({ at: clock.monotonic(), etag, registration });
    const answer = await k2hr3.says;
    if (answer instanceof Error) throw answer;
    if (typeof answer !== 'string') return answer;
    const current = answer.toUpperCase();
    return etag === current ? { changed: false } : { changed: true, etag: current, text: answer };
  };
  const watch = new RoleWatch({
    stateDirectory,
    desired: () => desired.current,
    read,
    parse,
    loopback: false,
    whyOutside: () => Promise.resolve(null),
    resolve: (name) => Promise.resolve(names.has(name) ? [] : ['192.0.2.1']),
    pace: {
      settledMs: SETTLED,
      changingMs: CHANGING,
      retryFirstMs: 1_000,
      retryCapMs: 60_000,
    },
    clock,
    random: () => 0.5,
    log,
    onChange: () => changes++,
  });
  const ending = new AbortController();
  const run = async (): Promise<void> => {
    const running = watch.run(ending.signal);
    onTestFinished(async () => {
      ending.abort();
      await running;
    });
    await clock.untilWaiting();
  };
  return {
    watch,
    clock,
    state: stateDirectory,
    texts,
    lines,
    names,
    reads,
    k2hr3,
    desired,
    run,
    changes: () => changes,
  };
}

/** Moves time on by `ms`, and lets what happens then use files. */
async function pass({ clock }: Bench, ms: number): Promise<void> {
  await clock.advance(ms);
  await clock.untilWaiting();
}

describe('the pace', () => {
  it('is slow when nothing changes, with the etag of the reading before', async () => {
    const box = await bench('self');
    await box.run();
    await pass(box, SETTLED);
    await pass(box, SETTLED);
    expect(box.reads.map(({ at }) => at)).toEqual([0, 5_000, 10_000]);
    expect(box.reads.map(({ etag }) => etag)).toEqual([undefined, 'SELF', 'SELF']);
    expect(box.changes()).toBe(1);
  });

  it('spares K2HR3 when there are many servers', async () => {
    const box = await bench(['self', ...Array.from({ length: 99 }, (_, n) => `n${n}`)].join());
    await box.run();
    expect(box.clock.delays).toEqual([15_000]);
  });

  it('hurries for half a minute when told so, and begins at once', async () => {
    const box = await bench('self');
    await box.run();
    await pass(box, 1_000);
    box.watch.hurry();
    await pass(box, 0);
    expect(box.reads.map(({ at }) => at)).toEqual([0, 1_000]);
    expect(box.clock.delays).toEqual([CHANGING]);
    await pass(box, 30_000);
    expect(box.clock.delays).toEqual([SETTLED]);
    expect(box.reads).toHaveLength(2 + 60);
  });

  it('hurries when the ring has changed', async () => {
    const box = await bench('self');
    await box.run();
    box.k2hr3.says = 'self,other';
    await pass(box, SETTLED);
    expect(box.clock.delays).toEqual([CHANGING]);
    expect(box.watch.view()).toMatchObject({ ini: { text: 'ini of self,other' }, ringStableMs: 0 });
    await pass(box, 400);
    expect(box.watch.view().ringStableMs).toBe(400);
  });

  it('backs off while K2HR3 is away, up to the cap, and says it once', async () => {
    const box = await bench(new Error('K2HR3 does not answer'));
    await box.run();
    const delays = [];
    for (let n = 0; n < 9; n++) {
      delays.push(box.clock.delays[0]);
      await pass(box, box.clock.delays[0] ?? 0);
    }
    expect(delays.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(delays.at(-1)).toBe(60_000);
    expect(box.texts).toEqual([PROBLEM]);
    expect(box.watch.view()).toMatchObject({ ini: null, problem: 'K2HR3 does not answer' });

    box.k2hr3.says = 'self';
    await pass(box, 60_000);
    expect(box.watch.view()).toMatchObject({ ini: { text: 'ini of self' }, problem: null });
    expect(box.clock.delays).toEqual([SETTLED]);
    expect(box.texts.at(-1)).toBe('K2HR3 answers again');
  });

  it('is none for a node that is not registered, until it is', async () => {
    const box = await bench('self');
    box.desired.current = desiredState({ registration: null });
    await box.run();
    await pass(box, 100_000);
    expect(box.reads).toEqual([]);
    box.desired.current = desiredState();
    box.watch.hurry();
    await pass(box, 0);
    expect(box.watch.view().ini?.text).toBe('ini of self');
  });
});

describe('a role that is not read', () => {
  /** Looks every two seconds of so long. */
  async function watched(one: Bench, ms: number): Promise<string[]> {
    for (let passed = 0; passed < ms; passed += 2_000) {
      one.watch.findings();
      await one.clock.advance(2_000);
    }
    return one.watch.findings().map(({ kind, text }) => `${kind}: ${text}`);
  }

  it('concerns nobody for a minute, then says why it is not read, until it is', async () => {
    const one = await bench('self');
    await one.run();
    expect(await watched(one, 300_000)).toEqual([]);
    one.k2hr3.says = new Error('K2HR3 is away');
    expect(await watched(one, 50_000)).toEqual([]);
    expect(await watched(one, 20_000)).toEqual([
      'role-unread: the role has not been read for 60 s, and changes of the cluster do not arrive here: K2HR3 is away',
    ]);
    one.k2hr3.says = 'self';
    expect(await watched(one, 70_000)).toEqual([]);
  });

  it('concerns somebody also when a read never ends', async () => {
    const hung = await bench('self');
    await hung.run();
    const answer = deferred<ResourceReading>();
    onTestFinished(() => answer.resolve({ changed: false }));
    hung.k2hr3.says = answer.promise;
    hung.watch.hurry();
    expect(await watched(hung, 70_000)).toHaveLength(1);
  });

  it('is another concern than one that is refused, and counts from when that was read', async () => {
    const one = await bench('self');
    const REFUSAL = 'role-refused: the role resource is refused: bad; the ring stays as it is';
    await one.run();
    one.k2hr3.says = 'bad';
    expect(await watched(one, 300_000)).toEqual([REFUSAL]);
    one.k2hr3.says = new Error('K2HR3 is away');
    expect(await watched(one, 50_000)).toEqual([REFUSAL]);
    expect(await watched(one, 80_000)).toEqual([
      REFUSAL,
      expect.stringMatching(/^role-unread: .*: K2HR3 is away$/),
    ]);
    one.k2hr3.says = 'self';
    expect(await watched(one, 70_000)).toEqual([]);
  });

  it('is no concern where there is none to read, nor right after a registration', async () => {
    const one = await bench(new Error('away'));
    const { current } = one.desired;
    one.desired.current = { ...current, registration: null };
    expect(await watched(one, 300_000)).toEqual([]);
    one.desired.current = current;
    expect(one.watch.findings()).toEqual([]);
    expect(await watched(one, 70_000)).toHaveLength(1);
  });
});

describe('a document', () => {
  it('that lacks this node says so and is not kept', async () => {
    const box = await bench('other');
    await box.run();
    expect(box.watch.view()).toMatchObject({ ini: null, lacksSelf: true, problem: null });
    expect(await readdir(box.state)).toEqual([]);
  });

  it('that is refused leaves the last good one in use, and is logged once', async () => {
    const box = await bench('self');
    await box.run();
    box.k2hr3.says = 'self,bad';
    await pass(box, SETTLED);
    await pass(box, 1_000);
    await pass(box, 2_000);
    expect(box.watch.view()).toMatchObject({
      ini: { text: 'ini of self' },
      lacksSelf: false,
      problem: 'the role resource is refused: bad',
    });
    expect(box.watch.findings()).toMatchObject([{ kind: 'role-refused' }]);
    expect(box.texts.filter((text) => text === REFUSED)).toHaveLength(1);
    expect(await readFile(path.join(box.state, 'role.json'), 'utf8')).not.toContain('bad');

    box.k2hr3.says = 'self';
    await pass(box, 4_000);
    expect(box.watch.view()).toMatchObject({ problem: null });
    expect(box.watch.findings()).toEqual([]);
  });

  it('that is refused is logged with the reason and what it would change', async () => {
    const box = await bench('self');
    await box.run();
    box.k2hr3.says = 'self,bad';
    await pass(box, SETTLED);
    box.k2hr3.says = new Error('away');
    await pass(box, 1_000);
    expect(box.watch.view().problem).toBe('away');
    expect(box.watch.findings()).toMatchObject([{ kind: 'role-refused' }]);
    box.k2hr3.says = 'self,bad';
    await pass(box, 2_000);
    expect(box.lines.filter(({ msg }) => msg === REFUSED)).toEqual([
      expect.objectContaining({
        reason: 'the role resource is refused: bad',
        diff: '-"self" +"self,bad"',
      }),
    ]);
    box.k2hr3.says = 'self,bad,more';
    await pass(box, 4_000);
    expect(box.texts.filter((text) => text === REFUSED)).toHaveLength(2);
  });

  it('that lost more than one server is read again after a second, and believed then', async () => {
    const box = await bench('self,a,b,c');
    await box.run();
    box.k2hr3.says = 'self,a';
    await pass(box, SETTLED);
    expect(box.watch.view()).toMatchObject({ ini: { text: 'ini of self,a,b,c' }, problem: null });
    expect(box.clock.delays).toEqual([1_000]);
    await pass(box, 1_000);
    expect(box.watch.view().ini?.text).toBe('ini of self,a');
    expect(box.reads.slice(1, 3).map(({ etag }) => etag)).toEqual(['SELF,A,B,C', 'SELF,A,B,C']);
    expect(box.texts.filter((text) => text === DOUBTFUL)).toHaveLength(1);
  });

  it('is not believed earlier because somebody hurries', async () => {
    const box = await bench('self,a,b,c');
    await box.run();
    box.k2hr3.says = 'self';
    await pass(box, SETTLED);
    box.watch.hurry();
    await pass(box, 0);
    await pass(box, 999);
    expect(box.watch.view().ini?.text).toBe('ini of self,a,b,c');
    await pass(box, 1_000);
    expect(box.watch.view().ini?.text).toBe('ini of self');
  });

  it('that lost one server is taken at once, and one without this node is doubted', async () => {
    const box = await bench('self,a,b');
    await box.run();
    box.k2hr3.says = 'self,a';
    await pass(box, SETTLED);
    expect(box.watch.view().ini?.text).toBe('ini of self,a');
    box.k2hr3.says = 'a';
    await pass(box, CHANGING);
    expect(box.watch.view()).toMatchObject({ ini: { text: 'ini of self,a' }, lacksSelf: false });
    await pass(box, 1_000);
    expect(box.watch.view()).toMatchObject({ ini: null, lacksSelf: true });
  });

  it('with a new name that does not resolve is refused until it does', async () => {
    const box = await bench('self');
    await box.run();
    box.k2hr3.says = 'self,unknown';
    await pass(box, SETTLED);
    expect(box.watch.view()).toMatchObject({
      ini: { text: 'ini of self' },
      problem: expect.stringContaining('NAME unknown cannot be resolved') as string,
    });
    box.names.delete('unknown');
    await pass(box, 1_000);
    expect(box.watch.view()).toMatchObject({ ini: { text: 'ini of self,unknown' }, problem: null });
  });

  it('of before a registration does not make this node register again', async () => {
    const box = await bench('other');
    await box.run();
    expect(box.watch.view().lacksSelf).toBe(true);
    box.k2hr3.says = new Error('away');
    box.watch.registered();
    expect(box.watch.view().lacksSelf).toBe(false);
    await pass(box, 0);
    expect(box.watch.view().lacksSelf).toBe(false);
    box.k2hr3.says = 'other';
    const changes = box.changes();
    await pass(box, 1_000);
    expect(box.watch.view().lacksSelf).toBe(true);
    expect(box.changes()).toBeGreaterThan(changes);
  });

  it('of before is not asked about by its etag when it belongs to another cluster', async () => {
    const box = await bench('self');
    await box.run();
    const registration = registrationFor(OTHER_PARAMETERS);
    box.desired.current = desiredState({ parameters: OTHER_PARAMETERS, registration });
    expect(box.watch.view()).toMatchObject({ ini: null, lacksSelf: false });
    await pass(box, SETTLED);
    expect(box.reads.at(-1)).toMatchObject({ etag: undefined, registration });
    expect(box.watch.view().ini?.text).toBe('ini of self');
  });

  it('that comes when nobody wants it any more is no problem', async () => {
    const box = await bench('self');
    const answer = deferred<ResourceReading>();
    box.k2hr3.says = answer.promise;
    const running = box.run();
    await box.clock.advance(0);
    box.desired.current = desiredState({ registration: null, parameters: null });
    box.watch.hurry();
    answer.resolve({ changed: true, etag: 'X', text: 'self' });
    await running;
    await pass(box, 1_000);
    expect(box.watch.view()).toMatchObject({ ini: null, lacksSelf: false, problem: null });
    expect(await readdir(box.state)).toEqual([]);
  });
});

describe('what is kept', () => {
  it('lets the next agent start without K2HR3', async () => {
    const before = await bench('self,other');
    await before.run();
    const file = path.join(before.state, 'role.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);

    const box = await bench(new Error('away'), before.state);
    await box.watch.restore(false);
    expect(box.watch.view().ini?.text).toBe('ini of self,other');
    await box.run();
    expect(box.watch.view()).toMatchObject({ ini: { text: 'ini of self,other' }, problem: 'away' });
    expect(box.reads[0]?.etag).toBeUndefined();
  });

  it('does not count for another cluster, nor for a node that is not registered', async () => {
    const before = await bench('self');
    await before.run();
    const box = await bench('self', before.state);
    box.desired.current = desiredState({ registration: registrationFor(OTHER_PARAMETERS) });
    await box.watch.restore(false);
    expect(box.watch.view().ini).toBeNull();
    box.desired.current = desiredState({ registration: null });
    await box.watch.restore(false);
    expect(box.watch.view().ini).toBeNull();
  });

  it.each(['{', '7', '{}'])('is of no use when it cannot be read: %j', async (text) => {
    const state = await temporaryDirectory();
    await writeFile(path.join(state, 'role.json'), text);
    const box = await bench('self', state);
    await box.watch.restore(false);
    expect(box.watch.view().ini).toBeNull();
    await box.run();
    expect(box.watch.view().ini?.text).toBe('ini of self');
  });

  it('is of no use when it is not sane any more', async () => {
    const state = await temporaryDirectory();
    const { parametersKey: of } = registrationFor(PARAMETERS);
    await writeFile(path.join(state, 'role.json'), JSON.stringify({ of, text: 'self,bad' }));
    const box = await bench('self', state);
    await box.watch.restore(false);
    expect(box.watch.view().ini).toBeNull();
    expect(box.texts).toEqual(['the kept role document is of no use']);
  });

  it('is forgotten after the unregistration, with every problem there was', async () => {
    const box = await bench('self');
    await box.run();
    box.k2hr3.says = new Error('away');
    await pass(box, SETTLED);
    box.desired.current = desiredState({ registration: null });
    await pass(box, 1_000);
    expect(box.watch.view()).toMatchObject({ ini: null, lacksSelf: false, problem: null });
    expect(await readdir(box.state)).toEqual([]);
    box.desired.current = desiredState();
    expect(box.watch.view().ini).toBeNull();
  });

  it('is read on while the node leaves for good: who is in the role keeps a place', async () => {
    const box = await bench('self,other');
    await box.run();
    const before = box.watch.view().cuks;
    box.desired.current = desiredState({ parameters: null });
    box.watch.hurry();
    await pass(box, SETTLED);
    expect(box.watch.view()).toMatchObject({ ini: { text: 'ini of self,other' }, cuks: before });
    expect(box.reads.length).toBeGreaterThan(1);
  });

  it('forgets a problem also when there was never a document', async () => {
    const box = await bench(new Error('away'));
    await box.run();
    expect(box.watch.view().problem).toBe('away');
    box.desired.current = desiredState({ registration: null });
    await pass(box, 1_000);
    expect(box.watch.view().problem).toBeNull();
  });

  it('is kept as soon as the disk has room for it again, although it is the same', async () => {
    const box = await bench('self');
    const file = path.join(box.state, 'role.json');
    await mkdir(path.join(file, 'x'), { recursive: true });
    await box.run();
    await pass(box, SETTLED);
    await rm(file, { recursive: true });
    await pass(box, SETTLED);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ text: 'self' });
    expect(box.reads).toHaveLength(3);
    const about = box.texts.filter((text) => text.includes('on disk'));
    expect(about).toEqual([
      'the role document on disk stays as it was',
      'the role document is on disk again',
    ]);
  });

  it('does not end the watch when the disk refuses to keep or to forget it', async () => {
    const box = await bench('self');
    await mkdir(path.join(box.state, 'role.json', 'x'), { recursive: true });
    await box.run();
    expect(box.watch.view().ini?.text).toBe('ini of self');
    await pass(box, 1_000);
    box.desired.current = desiredState({ registration: null });
    await pass(box, SETTLED);
    expect(box.watch.view().ini).toBeNull();
    box.desired.current = desiredState();
    box.watch.hurry();
    await pass(box, 0);
    expect(box.watch.view().ini?.text).toBe('ini of self');
  });
});
