import { expect, it } from 'vitest';
import { Wishes } from '../../../src/guest/handlers/wishes.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { Journal } from '../../../src/guest/journal.ts';
import type { Snapshot } from '../../../src/node/reconciler.ts';
import { Operations } from '../../../src/guest/operations.ts';
import { silentLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { desiredState, nothingRuns, observed, LEAVES_AGAIN } from '../../node/builders.ts';

const desired = desiredState();

/** @param seen what the reconciler sees, one after the other. */
async function wishes(...seen: Snapshot[]): Promise<Wishes> {
  const common = { clock: systemClock, log: silentLog };
  const journal = await Journal.open(await temporaryDirectory(), 'a boot');
  return new Wishes({
    desired: () => desired,
    operations: new Operations({ ...common, journal, progress: () => '' }),
    reconciler: {
      wish: () => Promise.resolve(),
      until: (done: (snapshot: Snapshot) => boolean) => {
        const found = seen.find(done);
        return found ? Promise.resolve(found) : Promise.reject(new Error('it waits on'));
      },
    } as never,
    node: { startAfresh: () => undefined },
    replyMarginMs: 0,
  });
}

it('tells who waits for a node that does not stay up why, in the program’s words', async () => {
  const all = await wishes();
  const step = { kind: 'wait', why: 'pausing' } as const;
  const state = 'starting' as const;
  const crashReason = 'chmpx ended by itself (exit code 1): no room';
  const crashed = (crashLoops: boolean) => ({
    desired,
    step,
    state,
    observed: nothingRuns({ crashes: 3, crashLoops, crashReason }),
  });
  expect(all.isUp(crashed(false))).toBe(false);
  expect(() => all.isUp(crashed(true))).toThrow(
    'the programs do not stay up: chmpx ended by itself (exit code 1): no room',
  );
  expect(all.isUp({ desired, step, state, observed: observed() })).toBe(true);
});

it('tells who attaches a group with the extdata-url of another cluster so at once', async () => {
  const step = { kind: 'wait', why: 'registering in K2HR3' } as const;
  const seen = nothingRuns({ otherCluster: 'of the cluster other' });
  const all = await wishes();
  expect(() => all.isUp({ desired, step, state: 'starting', observed: seen })).toThrow(
    'of the cluster other',
  );
});

it('has not left while both programs start again because the leave hung', async () => {
  const change = { shrinking: { rejoinAt: 0 } };
  const at = (seen: Snapshot['observed'], step: Snapshot['step']): Snapshot => {
    return { desired, state: 'leaving', observed: seen, step };
  };
  const looks = { kind: 'wait', why: 'looking for the other servers' } as const;
  const between = at(nothingRuns({ leave: LEAVES_AGAIN }), looks);
  const leave = async (...seen: Snapshot[]): Promise<void> =>
    (await wishes(...seen)).leave(change, { shrinking: null });
  await expect(leave(between)).rejects.toThrow('it waits on');
  await leave(between, at(nothingRuns(), { kind: 'rest', why: 'stopped' }));
});
