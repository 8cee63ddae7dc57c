/** Exit codes, as sysexits(3) has them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** status: something concerns a person. */
  concern: 2,
  /** status: no agent runs. */
  notRunning: 3,
  /** status: an agent runs, and what it says of itself is old or missing. */
  stale: 4,
  /** The command line is wrong. */
  usage: 64,
  /** The configuration is wrong; starting again without changing it is of no use. */
  config: 78,
} as const;
