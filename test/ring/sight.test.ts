import { expect, it } from 'vitest';
import type { RingStatus } from '../../src/ring/status.ts';
import { deferred } from '../helpers/deferred.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { ring } from './rings.ts';
import { sightOf, WELL } from './sight-of.ts';

/** The sight of node a in a ring of two whose words a test writes. */
function bench() {
  const clock = new ManualClock();
  const { log, lines } = recordingLog();
  const seen: { words: string[] | null } = { words: ['IN', 'IN'] };
  let drawn = 0;
  const looked: string[] = [];
  const sight = sightOf(
    () => Promise.resolve(seen.words === null ? null : ring('a', ...seen.words)),
    clock,
    {
      ownMerge: {
        ...WELL,
        look: ({ self }) => looked.push(self.merge),
        forget: () => looked.push('forgotten'),
      },
      random: () => (drawn += 1),
      log,
    },
  );
  return { clock, seen, sight, lines, looked };
}

it('knows since when the ring, and this node in it, look the same, whoever looks', async () => {
  const { clock, seen, sight } = bench();
  await sight.look();
  await clock.advance(4_000);
  await sight.look();
  expect([sight.ringStillMs, sight.ownStillMs]).toEqual([4_000, 4_000]);
  seen.words = ['IN', 'IN Doing'];
  await sight.look();
  await clock.advance(1_000);
  expect([sight.ringStillMs, sight.ownStillMs]).toEqual([1_000, 5_000]);
  expect(sight.words).toBe('a in, b in doing');
});

it('takes one reading that failed for no change of the ring, but a chmpx that is gone for one', async () => {
  const { clock, seen, sight } = bench();
  await sight.look();
  await clock.advance(4_000);
  seen.words = null;
  await sight.look();
  seen.words = ['IN', 'IN'];
  await sight.look();
  expect(sight.ringStillMs).toBe(4_000);
  sight.blind();
  await clock.advance(500);
  await sight.look();
  expect(sight.ringStillMs).toBe(0);
});

it('draws its jitter again whenever the ring changes, and only then', async () => {
  const { seen, sight } = bench();
  expect(sight.tieJitter).toBe(1);
  await sight.look();
  expect(sight.tieJitter).toBe(2);
  await sight.look();
  expect(sight.tieJitter).toBe(2);
  seen.words = ['IN', 'IN DOWN'];
  await sight.look();
  expect(sight.tieJitter).toBe(3);
});

it('shows every status to the verdict on the own merge, and says when chmpx is gone', async () => {
  const { seen, sight, looked } = bench();
  seen.words = ['IN Doing', 'IN'];
  await sight.look();
  seen.words = null;
  await sight.look();
  expect(looked).toEqual(['Doing']);
  expect(sight.blind()).toBeNull();
  expect(looked).toEqual(['Doing', 'forgotten']);
});

it('still knows which server this node is while it cannot be seen', async () => {
  const { seen, sight } = bench();
  expect(sight.self).toBeNull();
  await sight.look();
  seen.words = null;
  await sight.look();
  expect(sight.words).toBe('');
  expect(sight.self).toMatchObject({ name: 'a' });
});

it('logs the status of this node when it changes', async () => {
  const { seen, sight, lines } = bench();
  await sight.look();
  await sight.look();
  seen.words = ['IN', 'IN Doing'];
  await sight.look();
  seen.words = null;
  await sight.look();
  expect(lines.map(({ status }) => status)).toEqual([
    '[SERVICE IN][UP][n/a][Nothing][NoSuspend]',
    'none',
  ]);
});

it('takes no older answer for news when two look at the same time', async () => {
  const clock = new ManualClock();
  const answers = [deferred<RingStatus | null>(), deferred<RingStatus | null>()];
  let asked = 0;
  const sight = sightOf(() => answers[asked++]?.promise ?? Promise.resolve(null), clock);
  const looks = [sight.look(), sight.look()];
  answers[1]?.resolve(ring('a', 'IN', 'OUT'));
  await looks[1];
  await clock.advance(1_000);
  answers[0]?.resolve(ring('a', 'IN', 'IN'));
  expect((await looks[0])?.servers).toHaveLength(2);
  expect([sight.words, sight.ringStillMs]).toEqual(['a in, b out', 1_000]);
});

it('does not take the answer to a look for news after chmpx has ended', async () => {
  const clock = new ManualClock();
  const answer = deferred<RingStatus | null>();
  const sight = sightOf(() => answer.promise, clock);
  const look = sight.look();
  sight.blind();
  answer.resolve(ring('a', 'IN', 'IN'));
  await look;
  expect(sight.words).toBe('');
});
