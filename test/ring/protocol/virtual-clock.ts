import type { Cancel, Clock } from '../../../src/base/clock.ts';

interface Timer {
  at: number;
  /** Timers of one moment run in the order in which they were set. */
  order: number;
  /** Null when it was cancelled. */
  run: (() => void) | null;
}

/** What the wall clock shows at the beginning (ms). */
const EPOCH = 1_700_000_000_000;

/**
 * Time that passes only when nothing is left to do at a moment. A timer runs when all promises that
 * the one before it has settled are dealt with, and no turn of the event loop is spent on that: Node.js
 * calls what a microtask has given to `process.nextTick` when there is no microtask left.
 */
export class VirtualClock implements Clock {
  #now = 0;
  #set = 0;
  /** A heap: each timer is due no earlier than its parent, at half its place. */
  readonly #heap: Timer[] = [];

  wall(): number {
    return EPOCH + this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): Cancel {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: (this.#set += 1), run };
    this.#push(timer);
    return () => {
      timer.run = null;
    };
  }

  /** Lets time pass until `isOver` says so, or no timer is left. Rejects with what a timer throws. */
  pass(isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => queueMicrotask(() => process.nextTick(turn));
      const turn = (): void => {
        try {
          if (isOver() || !this.#runNext()) resolve();
          else settle();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      settle();
    });
  }

  #runNext(): boolean {
    for (let next = this.#pop(); next; next = this.#pop()) {
      if (next.run === null) continue;
      this.#now = Math.max(this.#now, next.at);
      next.run();
      return true;
    }
    return false;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let place = heap.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(timer, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = timer;
  }

  #pop(): Timer | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      const left = heap[2 * place + 1];
      const right = heap[2 * place + 2];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!isBefore(child, last)) break;
      heap[place] = child;
      place = 2 * place + (isRight ? 2 : 1);
    }
    heap[place] = last;
    return first;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
