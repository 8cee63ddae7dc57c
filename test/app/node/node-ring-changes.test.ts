import { expect, it } from 'vitest';
import { createRingChanges, leaveLimits } from '../../../src/app/node/node-ring-changes.ts';
import { IDLE } from '../../../src/ring/change/leave.ts';
import type { RingChanges } from '../../../src/ring/change/ring-changes.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { silentLog } from '../../helpers/recording-log.ts';
import { ring } from '../../ring/rings.ts';
import { sightOf } from '../../ring/sight-of.ts';
import { configured } from '../configured.ts';

const never = new AbortController().signal;

/** The changes of node a with these lines of `cluster`; its ring is as `words` says. */
async function bench(cluster: string, words: (sent: readonly string[]) => string[]) {
  const { agent } = await configured({ agentYaml: `cluster: { ${cluster} }\n` });
  const clock = new ManualClock();
  const sent: string[] = [];
  const changes: RingChanges = createRingChanges(agent.cluster, {
    sight: sightOf(() => Promise.resolve(ring('a', ...words(sent))), clock),
    control: {
      send: ({ command, at }) => {
        sent.push(`${command} ${at.name}`);
        return Promise.resolve('SUCCEED');
      },
    },
    record: { keep: () => Promise.resolve() },
    unfinished: IDLE,
    role: () => new Set(),
    clock,
    random: () => 0.5,
    log: silentLog,
  });
  return { changes, clock, sent };
}

/** Runs until the work has ended; resolves with how long that took (ms), and its error. */
async function ended(clock: ManualClock, work: Promise<void>): Promise<[number, unknown]> {
  let end: [number, unknown] | undefined;
  work.then(
    () => (end = [clock.monotonic(), null]),
    (error: unknown) => (end = [clock.monotonic(), error]),
  );
  while (end === undefined && clock.monotonic() < 3_600_000) await clock.advance(100);
  return end ?? [Infinity, 'it never ended'];
}

it('a leave has the configured limits, in milliseconds; a restart has that of one for good', async () => {
  const { agent } = await configured({
    agentYaml: 'cluster: { leave_limit: 100, stop_leave_limit: 7 }\n',
  });
  expect(leaveLimits(agent.cluster)).toEqual({ stop: 7_000, restart: 100_000, good: 100_000 });
});

it('a stop_db gives a ring up that does not react, at its limit', async () => {
  const { changes, clock } = await bench('stop_leave_limit: 7, merge: automatic', () => [
    'IN',
    'IN',
  ]);
  const [ms] = await ended(
    clock,
    changes.leave('stop', () => true, never),
  );
  expect(ms).toBeGreaterThanOrEqual(7_000);
  expect(ms).toBeLessThan(8_000);
});

it.each([
  ['automatic', ['SERVICEOUT a']],
  ['coordinated', ['SERVICEOUT a', 'SERVICEOUT b']],
])('merges as configured: in an %s one a leaver tells %j to leave', async (merge, orders) => {
  const { changes, clock, sent } = await bench(`stop_leave_limit: 7, merge: ${merge}`, (told) =>
    told.includes('SERVICEOUT a') ? ['IN DELETE Pending', 'IN'] : ['IN', 'IN'],
  );
  await ended(
    clock,
    changes.leave('stop', () => true, never),
  );
  expect([...new Set(sent)].filter((order) => order.startsWith('SERVICEOUT'))).toEqual(orders);
});

it('a join that was undone because this node hung goes on at once, then waits longer each time', async () => {
  const { changes, clock } = await bench('merge_limit: 60', (told) =>
    told.includes('ABORTMERGE a') || told.includes('ABORTMERGE b')
      ? ['OUT', 'IN']
      : ['IN ADD Doing', 'IN Doing'],
  );
  const pauses: number[] = [];
  for (let tries = 0; tries < 3; tries++) {
    const [, error] = await ended(clock, changes.lead('join', never));
    expect(error).toMatchObject({ message: expect.stringContaining('was undone') as string });
    pauses.push(changes.joinRetryInMs);
  }
  const [first = -1, second = -1, third = -1] = pauses;
  expect(first).toBe(0);
  expect(second).toBeGreaterThan(first);
  expect(third).toBeGreaterThan(second);
});
