/** A command that cures this node is not sent again before so long (ms). */
export const CURE_PAUSE_MS = 15_000;
