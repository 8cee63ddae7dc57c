import type { Random } from '../../../src/base/backoff.ts';

/** In which direction a body goes: `request` to Swift, `response` to the client. */
export type Way = 'request' | 'response';

/** What can happen to a body on its way. The head of the request has passed before. */
export type BodyFault =
  /** Both bodies pass at this rate. */
  | { kind: 'slow'; bytesPerSecond: number }
  /** So many bytes pass, then nothing more; the connection stays open. */
  | { kind: 'stall'; way: Way; afterBytes: number }
  /** So many bytes pass, then the connection is gone: reset, or ended as if that were all. */
  | { kind: 'cut'; way: Way; afterBytes: number; how: 'reset' | 'end' }
  /** One bit of this byte of the answer's body is another one. */
  | { kind: 'flip'; atByte: number };

/** What can go wrong with a request. */
export type Fault =
  | BodyFault
  /**
   * Swift's answer with this status: before it has read the body, after it has thrown the body
   * away, or although the request went well (`stored`).
   */
  | { kind: 'answer'; status: number; when: 'before-body' | 'after-body' | 'stored' }
  /** The ETag of the answer belongs to other bytes. */
  | { kind: 'wrong-etag' };

/** When a fault happens. */
export interface FaultRule {
  fault: Fault;
  /** Default: every method. */
  method?: string;
  /** What the path with its query matches, from `/v1/` on. Default: every path. */
  path?: RegExp;
  /** So many requests that match pass first. Default 0. */
  skip?: number;
  /** The part of the others that it happens to, from 0 to 1. Default 1. */
  share?: number;
  /** How often it happens at most. Default: for ever. */
  times?: number;
}

/** The rules of a door; the same seed and the same requests make the same faults. */
export class FaultRules {
  readonly #random: Random;
  #rules: { rule: FaultRule; matched: number; happened: number }[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  add(rule: FaultRule): void {
    this.#rules.push({ rule, matched: 0, happened: 0 });
  }

  clear(): void {
    this.#rules = [];
  }

  /** What happens to a request: the fault of the first rule that says so. */
  pick(method: string, path: string): Fault | undefined {
    for (const state of this.#rules) {
      const { rule } = state;
      if (rule.method !== undefined && rule.method !== method) continue;
      if (rule.path?.test(path) === false) continue;
      state.matched += 1;
      if (state.matched <= (rule.skip ?? 0)) continue;
      if (state.happened >= (rule.times ?? Infinity)) continue;
      if (rule.share !== undefined && this.#random() >= rule.share) continue;
      state.happened += 1;
      return rule.fault;
    }
    return undefined;
  }
}
