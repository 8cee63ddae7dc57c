/** Status of one chmpx as others see it (chmpx-k2hdkc contract, section 2). */
export interface Status {
  ring: 'SERVICE IN' | 'SERVICE OUT' | 'SLAVE';
  live: 'UP' | 'DOWN';
  action: 'n/a' | 'ADD' | 'DELETE';
  operation: 'Nothing' | 'Pending' | 'Doing' | 'Done';
  /** Alive, but no k2hdkc is attached. */
  suspended: boolean;
}

const bits = {
  ring: { 'SERVICE IN': 0x20, 'SERVICE OUT': 0x10, SLAVE: 0x40 },
  live: { UP: 0x1, DOWN: 0x2 },
  action: { 'n/a': 0, ADD: 0x100, DELETE: 0x200 },
  operation: { Nothing: 0, Pending: 0x1000, Doing: 0x2000, Done: 0x4000 },
} as const;

/** `SAFE -> [SERVICE IN][UP][n/a][Nothing][NoSuspend]` and the like. */
export function statusText(status: Status): string {
  const suspend = status.suspended ? 'Suspend' : 'NoSuspend';
  return `SAFE -> [${status.ring}][${status.live}][${status.action}][${status.operation}][${suspend}]`;
}

/** The same as the number that the control port prints, such as 0x10021. */
export function statusCode(status: Status): string {
  const code =
    bits.ring[status.ring] |
    bits.live[status.live] |
    bits.action[status.action] |
    bits.operation[status.operation] |
    (status.suspended ? 0x10000 : 0);
  return `0x${code.toString(16)}`;
}

/** What every node sees of a server that it cannot reach. */
export const unreachable: Status = {
  ring: 'SERVICE OUT',
  live: 'DOWN',
  action: 'n/a',
  operation: 'Nothing',
  suspended: false,
};

/** chmpx's own time: seconds << 24 | microseconds, printed as "unix time" although it is not. */
export function chmpxTime(milliseconds: number): bigint {
  const seconds = Math.floor(milliseconds / 1000);
  const micros = Math.floor((milliseconds - seconds * 1000) * 1000);
  return (BigInt(seconds) << 24n) | BigInt(micros);
}
