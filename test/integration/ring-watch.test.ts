import { describe, expect, it, onTestFinished } from 'vitest';
import { plan } from '../../src/node/plan/plan.ts';
import type { RoleView } from '../../src/role/role-view.ts';
import { listens } from '../../src/ring/neighbours.ts';
import { RingWatch } from '../../src/ring/watch/ring-watch.ts';
import { serverSplit } from '../../src/ring/watch/server-split.ts';
import { SplitWatch } from '../../src/ring/watch/split-watch.ts';
import { systemClock } from '../../src/base/clock.ts';
import { ControlPorts } from '../../src/ring/control/control-ports.ts';
import { parseRingStatus, type RingStatus } from '../../src/ring/status.ts';
import { desiredState, observed, ROLE, TIMES } from '../node/builders.ts';
import { IN, OUT } from '../conformance/lab.ts';
import { RingLab } from '../conformance/ring-lab.ts';
import type { RingMember } from '../conformance/ring-member.ts';
import { sightOf } from '../ring/sight-of.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { until } from '../helpers/until.ts';

const DONE = (operation: string): string => `[SERVICE IN][UP][${operation}][Done][NoSuspend]`;

function controlPorts(member: RingMember): ControlPorts {
  return new ControlPorts({ ownHost: member.host.address, clock: systemClock });
}

async function statusOf(member: RingMember): Promise<RingStatus> {
  const { text } = await member.host.run('chmpxstatus', ['-conf', member.ini]);
  return parseRingStatus(text);
}

/** The watch of the agent of this server, with a role of these servers that is old. */
class Watched {
  readonly texts: string[];
  cuks: Set<string>;
  readonly #watch: RingWatch;

  constructor(member: RingMember, servers: readonly RingMember[]) {
    const { log, texts } = recordingLog();
    this.texts = texts;
    this.cuks = new Set(servers.map(({ cuk }) => cuk));
    const control = controlPorts(member);
    this.#watch = new RingWatch({
      isUp: () => true,
      sight: sightOf(() => statusOf(member).catch(() => null), systemClock),
      role: (): RoleView => ({ ...ROLE, cuks: this.cuks }),
      viewOf: (server, limitMs) => control.viewOf(server, limitMs),
      unread: null,
      split: new SplitWatch({
        policy: serverSplit,
        listens: (server) => listens(server, systemClock),
        viewOf: (server, limitMs) => control.viewOf(server, limitMs),
        role: () => this.cuks,
        giveInAfterMs: 20_000,
        clock: systemClock,
      }),
      refusals: null,
      times: { mergeMs: 60_000, startMs: 60_000 },
      onChange: () => undefined,
      onLook: () => undefined,
      clock: systemClock,
      random: Math.random,
      log,
    });
    const ending = new AbortController();
    onTestFinished(() => ending.abort());
    void this.#watch.run(ending.signal);
  }

  get concerns(): string[] {
    return this.#watch.concerns.map(({ kind, subject }) => `${kind} ${subject}`);
  }

  async reaches(...concerns: string[]): Promise<void> {
    const there = (): boolean => this.concerns.join() === concerns.join();
    await until(`concerns ${concerns.join()}`, there, { seconds: 180 }).catch(() => {
      throw new Error(`not ${concerns.join()}, but ${this.concerns.join() || 'none'}`);
    });
  }

  /** What was logged since this was asked last. */
  said(): string[] {
    return this.texts.splice(0);
  }
}

describe('the watch of a ring', { timeout: 600_000 }, () => {
  it('sees a server that is down, and a ring that is not that of the role', async () => {
    const lab = await RingLab.open({ count: 3 });
    await lab.form(3);
    const [first, second] = lab.servers as [RingMember, RingMember];
    const watched = new Watched(first, lab.servers);
    await second.kill();
    await watched.reaches(`server-down ${second.name}`);
    expect(watched.said()).toEqual([expect.stringContaining(`${second.name} is down`)]);
    await lab.join(second);
    await watched.reaches();
    expect(watched.said()).toEqual(['a concern is over']);
    watched.cuks.add('cuk-of-another');
    await watched.reaches('role-differs ring');
    watched.cuks.delete('cuk-of-another');
    await watched.reaches();
    const differs = expect.stringContaining('chmpx lacks the CUK cuk-of-another') as string;
    expect(watched.said()).toEqual([differs, 'a concern is over']);
  });

  it('sees one that is UP and does not answer, which no status shows', async () => {
    const lab = await RingLab.open({ count: 3 });
    await lab.form(3);
    const [first, second, third] = lab.servers as [RingMember, RingMember, RingMember];
    const watched = [first, second, third].map((member) => new Watched(member, lab.servers));
    second.freeze(true);
    onTestFinished(() => second.freeze(false));
    await watched[0]?.reaches(`no-answer ${second.name}`);
    expect(await first.statusOf(second)).toBe(IN);
    second.freeze(false);
    await watched[0]?.reaches();
    expect(watched[0]?.said()).toEqual([
      expect.stringContaining(`${second.name} is UP by chmpxstatus but does not answer`),
      'a concern is over',
    ]);
    expect(watched[1]?.said()).toEqual([]);
  });

  it('sees another server that knows other servers', async () => {
    const lab = await RingLab.open({ count: 3 });
    await lab.form(2);
    const [first, second, third] = lab.servers as [RingMember, RingMember, RingMember];
    // The second one does not get to know that there is a third.
    lab.publish([first, third], lab.servers);
    third.host.environment = { ...third.host.environment, ANTPICKAX_STANDIN_EARLY: '0' };
    await lab.join(third);
    await first.sees(third, IN);
    const watched = new Watched(first, lab.servers);
    await watched.reaches(`view-differs ${second.name}`);
    expect(watched.said()[0]).toContain(`${third.name} is unknown there`);
    lab.publish([second], lab.servers);
    await watched.reaches();
  });
});

describe('a merge that nobody completes', { timeout: 600_000 }, () => {
  /** Decides and acts as the agent of this server does when it has seen this for a while. */
  async function cure(member: RingMember): Promise<void> {
    const status = await statusOf(member);
    const step = plan(desiredState(), observed({ status, ringStillMs: 20_000 }), TIMES);
    expect(step).toMatchObject({ kind: 'do', action: { do: 'cure', command: 'COMPMERGE' } });
    await controlPorts(member).send({ command: 'COMPMERGE', at: status.self }, status.self);
  }

  it('is completed: of one that joins, of one whose k2hdkc is back, and of one that leaves', async () => {
    const lab = await RingLab.open({ count: 2 });
    await lab.form(1);
    const [first, second] = lab.servers as [RingMember, RingMember];
    second.host.environment = {
      ...second.host.environment,
      ANTPICKAX_STANDIN_UNFINISHED: '1',
      ANTPICKAX_STANDIN_UNFINISHED_RETURN: '1',
      ANTPICKAX_STANDIN_UNFINISHED_LEAVE: '1',
    };
    await lab.list(second, [first]);
    await second.start();
    await second.reaches(DONE('ADD'));
    await cure(second);
    await second.reaches(IN);
    second.k2hdkc?.send('SIGKILL');
    await second.reaches('[SERVICE IN][UP][n/a][Nothing][Suspend]');
    await second.startK2hdkc();
    await second.reaches(DONE('n/a'));
    await cure(second);
    await second.reaches(IN);
    await first.sees(second, IN);
    // And by another one when the agent of the one that leaves is dead.
    await second.ask(`SERVICEOUT ${second.id}`);
    await first.sees(second, DONE('DELETE'));
    await cure(first);
    await second.reaches(OUT);
  });
});
