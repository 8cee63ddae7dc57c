import { describe, expect, it } from 'vitest';
import { RouteKeeper, type RouteKeeperOptions } from '../../src/network/route-keeper.ts';
import { chooseNetwork } from '../../src/network/ring-network.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { facts, MANAGEMENT, port, USER_MAC, USER_PORT } from './vm-ports.ts';

const TWO = chooseNetwork(facts());
const ONE = chooseNetwork(facts({ userPort: null, ports: [MANAGEMENT] }));
const MAIN = [{ dst: 'default', gateway: '10.77.0.1', dev: 'ens4', flags: [] }];

/** An ip(8) that keeps what it should add; `more` says what differs. */
function bench(more: Partial<RouteKeeperOptions> = {}) {
  const rules: object[] = [];
  const changes: string[] = [];
  const { log, texts } = recordingLog();
  const answer = (stdout: string) => Promise.resolve({ exitCode: 0, stdout, stderr: '' });
  const options: RouteKeeperOptions = {
    isWanted: true,
    network: () => Promise.resolve(TWO),
    userPort: USER_PORT,
    ringPorts: () => [8020],
    read: (_, words) => answer(JSON.stringify(words.includes('rule') ? rules : MAIN)),
    change: (_, words) => {
      changes.push(words.join(' '));
      return answer('');
    },
    forwards: () => Promise.resolve(false),
    clock: new ManualClock(),
    log,
    ...more,
  };
  return { keeper: new RouteKeeper(options), options, rules, changes, texts };
}

const failing = (exitCode: number, stderr: string) => () =>
  Promise.resolve({ exitCode, stdout: '', stderr });

describe('source routes', () => {
  it('are made for a VM in two networks, and made again when somebody has taken them', async () => {
    const { keeper, changes } = bench();
    await keeper.keep();
    const first = changes.splice(0);
    expect(first).toContain('-4 rule add priority 27442 from 192.168.77.11 lookup 27442');
    expect(first).toContain('-4 rule add priority 27450 ipproto tcp dport 8020 lookup 27450');
    await keeper.keep();
    expect(changes).toEqual(first);
    expect(keeper.problem).toBeNull();
  });

  it.each<[string, Partial<RouteKeeperOptions>]>([
    ['in one network', { network: () => Promise.resolve(ONE) }],
    ['whose operator routes', { isWanted: false }],
  ])('are not made for a VM %s; those of before are taken away, once', async (_, more) => {
    const { keeper, rules, changes } = bench(more);
    rules.push({ priority: 27442, src: '10.77.0.11', table: '27442' });
    await keeper.keep();
    await keeper.keep();
    expect(changes).toEqual(['-4 rule delete priority 27442 from 10.77.0.11 lookup 27442']);
  });

  it('wait while nobody knows the network', async () => {
    const { keeper, changes } = bench({ network: () => Promise.resolve(null) });
    await keeper.keep();
    expect(changes).toEqual([]);
  });

  it('that cannot be made are a problem, told once', async () => {
    const { keeper, texts } = bench({ change: failing(2, 'Operation not permitted') });
    await keeper.keep();
    await keeper.keep();
    expect(keeper.problem).toMatch(
      /^ip -4 route replace .*: Operation not permitted \(\d+ more changes failed\)$/,
    );
    expect(texts).toEqual(['the source routes cannot be kept']);
  });

  it('are made for every address of the ring’s port; the ring gets the one that Trove gave', async () => {
    const users = port('ens3', USER_MAC, '192.168.77.200/24', '192.168.77.11/24', 'fd77::f00/64');
    const network = chooseNetwork(facts({ ports: [users, MANAGEMENT] }));
    const { keeper, changes } = bench({ network: () => Promise.resolve(network) });
    await keeper.keep();
    expect(changes).toContain('-4 rule add priority 27442 from 192.168.77.200 lookup 27442');
    expect(changes).toContain('-6 rule add priority 27442 from fd77::f00 lookup 27442');
    const ofRing = changes.filter((one) => one.includes('dev ens3') && one.endsWith('table 27450'));
    expect(ofRing).not.toEqual([]);
    for (const route of ofRing) expect(route).toContain('src 192.168.77.11');
  });

  it('are made around one that the kernel does not take', async () => {
    const made: string[] = [];
    const { keeper } = bench({
      change: (_, words) => {
        const isRefused = words.includes('default');
        if (!isRefused) made.push(words.join(' '));
        const stderr = isRefused ? 'Error: Nexthop has invalid gateway.' : '';
        return Promise.resolve({ exitCode: isRefused ? 2 : 0, stdout: '', stderr });
      },
    });
    await keeper.keep();
    expect(made).toContain('-4 rule add priority 27442 from 192.168.77.11 lookup 27442');
    expect(keeper.problem).toMatch(/^ip -4 route replace default .*: Error: Nexthop has invalid/);
  });

  it('that somebody else has made or taken a moment ago are no problem', async () => {
    const { keeper } = bench({ change: failing(2, 'RTNETLINK answers: File exists') });
    await keeper.keep();
    expect(keeper.problem).toBeNull();
  });

  it('need ip(8) only where there are two networks', async () => {
    const read = () => Promise.reject(new Error('ip cannot be started (ENOENT): install it'));
    const two = bench({ read });
    await two.keeper.keep();
    expect(two.keeper.problem).toContain('install it');
    const one = bench({ read, network: () => Promise.resolve(ONE) });
    await one.keeper.keep();
    expect(one.keeper.problem).toBeNull();
  });

  it('are looked after until the agent ends', async () => {
    const clock = new ManualClock();
    const { keeper, changes } = bench({ clock });
    const ending = new AbortController();
    const running = keeper.run(ending.signal);
    await clock.advance(0);
    const { length } = changes;
    expect(length).toBeGreaterThan(0);
    await clock.advance(10_000);
    expect(changes).toHaveLength(2 * length);
    ending.abort();
    await running;
  });
});

it.each([
  ['whoever makes it do so', true],
  ['also where the operator keeps the routes', false],
])('a VM that forwards between its networks is a problem, %s', async (_, isWanted) => {
  const { keeper } = bench({ isWanted, forwards: (family) => Promise.resolve(family === 4) });
  await keeper.keep();
  expect(keeper.problem).toContain(
    "this VM forwards packets between ens3 and ens4, and so lets the user's network into the other one: sysctl -w net.ipv4.ip_forward=0",
  );
});
