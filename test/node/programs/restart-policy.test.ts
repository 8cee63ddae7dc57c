import { expect, it } from 'vitest';
import { RestartPolicy } from '../../../src/node/programs/restart-policy.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { WatchedClock } from '../../base/watched-clock.ts';

function policy(): { clock: WatchedClock; restarts: RestartPolicy; texts: string[] } {
  const clock = new WatchedClock();
  const backoff = { first: 0, second: 500, cap: 30_000 };
  const { log, texts } = recordingLog();
  const options = { clock, random: () => 0.5, backoff, loopAfter: 5, log };
  return { clock, restarts: new RestartPolicy(options), texts };
}

it('starts again at once the first time, then after ever longer pauses', () => {
  const { restarts } = policy();
  expect(restarts.waitMs).toBe(0);
  const waits = Array.from({ length: 9 }, () => {
    restarts.crashed('killed');
    return restarts.waitMs;
  });
  expect(waits).toEqual([0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect(restarts.crashes).toBe(9);
  expect(restarts.reason).toBe('killed');
});

it('pauses at least as long as it is asked to', () => {
  const { restarts } = policy();
  restarts.crashed('a split');
  restarts.pause(20_000);
  expect(restarts.waitMs).toBe(20_000);
  restarts.crashed('killed');
  expect(restarts.waitMs).toBe(500);
});

it('says once that it is a crash loop, and goes on', () => {
  const { restarts, texts } = policy();
  for (let n = 0; n < 4; n++) restarts.crashed('killed');
  expect(texts).toEqual([]);
  for (let n = 0; n < 3; n++) restarts.crashed('killed');
  expect(texts).toEqual(['a crash loop; tried again all the same']);
  expect(restarts.waitMs).toBe(16_000);
});

it('takes programs that end together for one crash', async () => {
  const { clock, restarts } = policy();
  restarts.crashed('k2hdkc was killed', 'k2hdkc');
  restarts.crashed('chmpx was killed', 'chmpx');
  await clock.advance(400);
  restarts.crashed('there is no chmpx', 'k2hdkc');
  expect(restarts).toMatchObject({ crashes: 1, waitMs: 0, reason: 'k2hdkc was killed' });
  await clock.advance(200);
  restarts.crashed('chmpx ends again', 'chmpx');
  expect(restarts).toMatchObject({ crashes: 2, waitMs: 500 });
  restarts.crashed('and again', 'chmpx');
  restarts.crashed('cannot be started');
  restarts.crashed('there is no chmpx', 'k2hdkc');
  expect(restarts.crashes).toBe(5);
});

it('lets the pause go by', async () => {
  const { clock, restarts } = policy();
  restarts.crashed('');
  restarts.crashed('');
  await clock.advance(200);
  expect(restarts.waitMs).toBe(300);
  await clock.advance(1_000);
  expect(restarts.waitMs).toBe(0);
});

it('forgets after a good minute, and only after one', async () => {
  const { clock, restarts } = policy();
  restarts.crashed('');
  restarts.crashed('');
  restarts.seen(true);
  await clock.advance(60_000);
  restarts.seen(true);
  expect(restarts.crashes).toBe(2);
  await clock.advance(1);
  restarts.seen(true);
  expect(restarts.crashes).toBe(0);
  expect(restarts.reason).toBe('');
  restarts.crashed('');
  expect(restarts.waitMs).toBe(0);
});

it('begins the minute anew when it does not serve, or crashes', async () => {
  const { clock, restarts } = policy();
  restarts.crashed('');
  restarts.seen(true);
  await clock.advance(40_000);
  restarts.seen(false);
  restarts.seen(true);
  await clock.advance(40_000);
  restarts.seen(true);
  expect(restarts.crashes).toBe(1);
  restarts.crashed('');
  restarts.seen(true);
  await clock.advance(40_000);
  restarts.seen(true);
  expect(restarts.crashes).toBe(2);
});

it('forgives when the wish has changed', () => {
  const { restarts } = policy();
  for (let n = 0; n < 5; n++) restarts.crashed('');
  restarts.forgive();
  expect(restarts).toMatchObject({ crashes: 0, waitMs: 0, reason: '' });
  restarts.crashed('');
  expect(restarts.waitMs).toBe(0);
});
