import { expect, it } from 'vitest';
import { reconcilerTimes } from '../../../src/app/node/reconciler-times.ts';
import { parseAgentConfig } from '../../../src/config/load.ts';

it('are those of agent.yaml, in milliseconds', () => {
  const { cluster } = parseAgentConfig(
    `cluster:
  merge: automatic
  ring_stable_for: 1
  start_spacing: 2
  start_timeout: 3
  stuck_after: 4
  change_wait: 5
  gather_for: 6
  take_over_after: 7
  merge_limit: 8
  watch_after_change: 9
  changing_status_interval: 10
  status_interval: 11
`,
    'agent.yaml',
  );
  expect(reconcilerTimes(cluster)).toEqual({
    ringStableMs: 1_000,
    startSpacingMs: 2_000,
    startTimeoutMs: 3_000,
    stuckAfterMs: 4_000,
    changeWaitMs: 5_000,
    merge: 'automatic',
    coordinated: { gatherMs: 6_000, takeOverMs: 7_000, mergeMs: 8_000 },
    watchMs: 9_000,
    changingMs: 10_000,
    settledMs: 11_000,
  });
});
