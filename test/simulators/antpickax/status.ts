/** Status of one chmpx as others see it (docs/contracts/chmpx.md, 2.1). */
export interface Status {
  ring: 'SERVICE IN' | 'SERVICE OUT' | 'SLAVE';
  live: 'UP' | 'DOWN';
  action: 'n/a' | 'ADD' | 'DELETE';
  operation: 'Nothing' | 'Pending' | 'Doing' | 'Done';
  /** Alive, but no k2hdkc is attached. */
  suspended: boolean;
}

/** As the real program numbers them (chmstructure.h). */
const bits = {
  ring: { 'SERVICE IN': 0x20, 'SERVICE OUT': 0x10, SLAVE: 0 },
  live: { UP: 0x1, DOWN: 0 },
  action: { 'n/a': 0, ADD: 0x100, DELETE: 0x200 },
  operation: { Nothing: 0, Pending: 0x1000, Doing: 0x2000, Done: 0x3000 },
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

/** A server nobody has heard of. */
export const unreachable: Status = {
  ring: 'SERVICE OUT',
  live: 'DOWN',
  action: 'n/a',
  operation: 'Nothing',
  suspended: false,
};

/** A slave that runs; it has no other state. */
export const slaveUp: Status = { ...unreachable, ring: 'SLAVE', live: 'UP' };

/** Doing or Done: others can start nothing meanwhile. */
export function isOperating({ operation }: Status): boolean {
  return operation === 'Doing' || operation === 'Done';
}

/** Whether keys are placed on this server now; one that is down keeps its place. */
export function hasBaseHash({ ring, action }: Status): boolean {
  return ring === 'SERVICE IN' && action !== 'ADD';
}

/** Whether keys will be placed on this server after the merge that is asked for or under way. */
export function hasPendingHash({ ring, action }: Status): boolean {
  return ring === 'SERVICE IN' && action !== 'DELETE';
}

/** Whether a client's request is sent there: a server that merges takes none, unless it leaves. */
export function takesRequests(status: Status): boolean {
  if (status.ring !== 'SERVICE IN' || status.live === 'DOWN' || status.suspended) return false;
  return status.action === 'DELETE' || (status.action === 'n/a' && status.operation === 'Nothing');
}

/** What becomes of a server whose chmpx is gone. One that was joining was never there. */
export function down(status: Status): Status {
  if (status.ring !== 'SERVICE IN' || status.action === 'ADD') return unreachable;
  if (status.action === 'n/a') return { ...unreachable, ring: 'SERVICE IN' };
  const operation = isOperating(status) ? 'Done' : 'Pending';
  return { ...unreachable, ring: 'SERVICE IN', action: 'DELETE', operation };
}

/** What SERVICEIN makes of a status; `undefined` where it is not allowed. */
export function serviceIn(status: Status): Status | undefined {
  const { ring, live, action, operation, suspended } = status;
  if (live === 'DOWN' || suspended) return undefined;
  if (ring === 'SERVICE OUT')
    return { ...status, ring: 'SERVICE IN', action: 'ADD', operation: 'Pending' };
  return action === 'DELETE' && operation === 'Pending' ? { ...status, action: 'n/a' } : undefined;
}

/** What SERVICEOUT makes of a status; `undefined` where it is not allowed. */
export function serviceOut(status: Status): Status | undefined {
  const { ring, live, action } = status;
  if (ring !== 'SERVICE IN' || isOperating(status)) return undefined;
  if (action === 'n/a') return { ...status, action: 'DELETE', operation: 'Pending' };
  if (action === 'ADD' && live === 'UP') {
    return { ...status, ring: 'SERVICE OUT', action: 'n/a', operation: 'Nothing' };
  }
  return undefined;
}

/** What COMPMERGE makes of a status; all but Done stays. */
export function completed(status: Status): Status {
  if (status.operation !== 'Done') return status;
  const ring = status.action === 'DELETE' ? 'SERVICE OUT' : 'SERVICE IN';
  return { ...status, ring, action: 'n/a', operation: 'Nothing' };
}

/** What ABORTMERGE makes of a status: a leaver stays, a joiner goes on joining. */
export function aborted(status: Status): Status {
  const action = status.action === 'DELETE' ? 'n/a' : status.action;
  return { ...status, action, operation: isOperating(status) ? 'Pending' : status.operation };
}

/** chmpx's own time: seconds << 24 | microseconds, printed as "unix time" although it is not. */
export function chmpxTime(milliseconds: number): bigint {
  const seconds = Math.floor(milliseconds / 1000);
  const micros = Math.floor((milliseconds - seconds * 1000) * 1000);
  return (BigInt(seconds) << 24n) | BigInt(micros);
}
