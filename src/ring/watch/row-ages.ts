import type { Clock } from '../../base/clock.ts';
import { serverKey } from '../ring.ts';
import { statusWords, type RingNode } from '../status.ts';

/** Knows since when the row of each server is as it is. */
export class RowAges {
  readonly #clock: Clock;
  #rows = new Map<string, { words: string; since: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes the servers as they are seen now; who is not among them is forgotten. */
  note(servers: readonly RingNode[]): void {
    const before = this.#rows;
    const now = this.#clock.monotonic();
    this.#rows = new Map(
      servers.map((node) => {
        const words = statusWords(node);
        const known = before.get(serverKey(node));
        return [serverKey(node), known?.words === words ? known : { words, since: now }];
      }),
    );
  }

  /**
   * Whether a server is on its way nowhere, so that nobody need wait for it: its row has been the same
   * for so long (ms), and it is out of the ring or no server of the role. The chmpx of a VM that
   * failed its prepare stays like that in everybody's list, for as long as it runs.
   *
   * @param cuks of the servers that the role has; empty when none are known.
   */
  isLeftOver(node: RingNode, cuks: ReadonlySet<string>, afterMs: number): boolean {
    const since = this.#rows.get(serverKey(node))?.since ?? Infinity;
    if (this.#clock.monotonic() - since < afterMs) return false;
    const isOut =
      node.ring === 'SERVICE OUT' && node.operation === 'n/a' && node.merge === 'Nothing';
    return isOut || (cuks.size > 0 && !cuks.has(node.cuk));
  }
}
