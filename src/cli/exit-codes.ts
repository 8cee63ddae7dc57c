/** Exit codes, as sysexits(3) has them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** The command line is wrong. */
  usage: 64,
  /** The configuration is wrong; starting again without changing it is of no use. */
  config: 78,
} as const;
