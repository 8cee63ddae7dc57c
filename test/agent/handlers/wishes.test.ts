import { expect, it } from 'vitest';
import { Wishes } from '../../../src/agent/handlers/wishes.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { Journal } from '../../../src/agent/journal.ts';
import { Operations } from '../../../src/agent/operations.ts';
import { silentLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { desiredState, nothingRuns, observed } from '../builders.ts';

const desired = desiredState();

async function wishes(): Promise<Wishes> {
  const common = { clock: systemClock, log: silentLog };
  const journal = await Journal.open(await temporaryDirectory(), 'a boot');
  return new Wishes({
    desired: () => desired,
    operations: new Operations({ ...common, journal, progress: () => '' }),
    reconciler: {} as never, // nobody is asked in these tests
    node: { startAfresh: () => undefined },
    replyMarginMs: 0,
    crashLoopAfter: 3,
  });
}

it('tells who waits for a node that does not stay up why, in the program’s words', async () => {
  const all = await wishes();
  const step = { kind: 'wait', why: 'pausing' } as const;
  const state = 'starting' as const;
  const crashed = (crashes: number) => ({
    ...{ desired, step, state },
    observed: nothingRuns({ crashes, crashReason: 'chmpx ended by itself (exit code 1): no room' }),
  });
  expect(all.isUp(crashed(2))).toBe(false);
  expect(() => all.isUp(crashed(3))).toThrow(
    'the programs do not stay up: chmpx ended by itself (exit code 1): no room',
  );
  expect(all.isUp({ desired, step, state, observed: observed() })).toBe(true);
});
