import { sameServer, serverKey } from '../ring.ts';
import type { RingStatus } from '../status.ts';

/** The agent of a server that hung has seen the abort and stopped its programs by then (ms). */
const NOTICE_MS = 10_000;

/**
 * Whom the leader of a merge waits for after it has aborted one that hung: MERGE again hangs at the
 * same server (5 of 6), unless both its programs were started again meanwhile, which its agent does
 * when it sees that its merge was aborted.
 */
export class AwaitedServers {
  /** Whether each of them was seen without its programs since. */
  readonly #gone = new Map<string, boolean>();
  #until = 0;

  /**
   * The merge that this ring is in is about to be aborted, by the agent of its own server.
   *
   * @param leftMs the time that the leader has left: half of it is not waited away.
   */
  aborted({ self, servers }: RingStatus, now: number, leftMs: number): void {
    const late = servers.filter((node) => node.merge === 'Doing' && !sameServer(node, self));
    for (const node of late) this.#gone.set(serverKey(node), false);
    this.#until = now + Math.min(NOTICE_MS, leftMs / 2);
  }

  /** Whether MERGE must wait: one of them has not been started again yet, and still may be. */
  awaited({ servers }: RingStatus, now: number): boolean {
    for (const [key, wasGone] of this.#gone) {
      const node = servers.find((one) => serverKey(one) === key);
      const isGone = node === undefined || node.live === 'DOWN' || node.suspended;
      if (isGone) this.#gone.set(key, true);
      else if (wasGone || now > this.#until) this.#gone.delete(key);
    }
    return this.#gone.size > 0;
  }
}
