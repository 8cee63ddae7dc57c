import type { OutgoingMessage, Publisher } from '../amqp/message.ts';
import { Allowance } from '../base/allowance.ts';
import { sleep, type Cancel, type Clock } from '../base/clock.ts';
import { AgentError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { Seldom } from '../base/seldom.ts';
import { withDeadline } from '../base/wait.ts';
import { encodeEnvelope, WIRE_PROPERTIES, type JsonObject } from './envelope.ts';
import type { Caller } from './rpc-request.ts';
import type { NewUniqueId } from './unique-id.ts';

/** How a call ended: `failure` is the text of failureText, or null. */
export interface Outcome {
  result: unknown;
  failure: string | null;
}

interface RepliesOptions {
  publisher: Publisher;
  clock: Clock;
  newId: NewUniqueId;
  log: Logger;
}

/** How a reply is sent. */
interface Sending {
  /** Its caller can be anybody: it is dropped when its queue is not there, or too many come. */
  once?: boolean;
  /** Called when the reply must wait because its queue is not there. */
  onWait?: () => void;
}

/** Between two attempts, in milliseconds (kombu has the same). */
const REPLY_AGAIN_MS = 250;
/** After this time the caller is taken for gone, in milliseconds (as kombu does). */
const CALLER_GONE_MS = 60_000;

/**
 * So many callers without the key are answered in so many milliseconds: enough for guests with a wrong
 * key, and few for a flood.
 */
const STRANGERS = { most: 10_000, periodMs: 10_000 };
/** No more replies wait at the same time: the oldest is dropped for the newest. */
const MOST_WAITING = 256;

/** Sends what callers wait for (docs/contracts/trove.md, 4). */
export class Replies {
  readonly #options: RepliesOptions;
  readonly #seldom: Seldom;
  readonly #strangers: Allowance;
  /** What ends the waiting of each reply that could not be sent yet, the oldest first. */
  readonly #waiting = new Set<AbortController>();

  constructor(options: RepliesOptions) {
    this.#options = options;
    this.#seldom = new Seldom(options.clock, options.log);
    this.#strangers = new Allowance(STRANGERS.most, STRANGERS.periodMs, options.clock);
  }

  /**
   * Sends the reply to a call, and resolves when it is confirmed. A reply whose queue is not
   * there, or whose connection was lost, is sent again for a minute (a second copy is harmless)
   * and then dropped with a log line, or before when too many wait. Rejects only for a result that is
   * no JSON.
   */
  async send(to: Caller, outcome: Outcome, { once = false, onWait }: Sending = {}): Promise<void> {
    const { clock } = this.#options;
    if (once && !this.#strangers.take()) {
      this.#drop(to, 'too many requests are refused');
      return;
    }
    const message = this.#message(to, { ...outcome, ending: true });
    const giveUpAt = clock.monotonic() + CALLER_GONE_MS;
    const place = new AbortController();
    try {
      for (;;) {
        const obstacle = await this.#attempt(message, giveUpAt - clock.monotonic());
        if (obstacle === undefined) return;
        const isGone = obstacle instanceof NoQueue;
        const late = clock.monotonic() + REPLY_AGAIN_MS >= giveUpAt;
        if (!obstacle.retryable || late || (isGone && once)) {
          this.#drop(to, obstacle.message);
          return;
        }
        if (isGone) onWait?.();
        this.#wait(place);
        await sleep(clock, REPLY_AGAIN_MS, place.signal);
        if (place.signal.aborted) {
          this.#drop(to, `more than ${MOST_WAITING} replies wait`);
          return;
        }
      }
    } finally {
      this.#waiting.delete(place);
    }
  }

  #wait(place: AbortController): void {
    this.#waiting.add(place);
    const [oldest] = this.#waiting;
    if (oldest === undefined || this.#waiting.size <= MOST_WAITING) return;
    this.#waiting.delete(oldest);
    oldest.abort();
  }

  #drop({ replyQueue }: Caller, reason: string): void {
    this.#seldom.warn({ replyQueue, reason }, 'a reply was dropped');
  }

  /**
   * Tells a caller with a call monitor that the method still runs, twice in each of its timeouts.
   * A timeout under two seconds is ignored, as oslo.messaging does.
   */
  beat(to: Caller, timeoutSeconds: number | null | undefined): Cancel {
    const interval = ((timeoutSeconds ?? 0) * 1_000) / 2;
    if (interval < 1_000) return () => undefined;
    const { clock, log } = this.#options;
    const tick = (): void => {
      const message = this.#message(to, { result: null, failure: null, ending: false });
      this.#options.publisher.publish(message).catch((err: unknown) => {
        log.debug({ err }, 'a sign of life was not sent');
      });
      cancel = clock.after(interval, tick);
    };
    let cancel = clock.after(interval, tick);
    return () => {
      cancel();
    };
  }

  #message({ messageId, replyQueue }: Caller, body: JsonObject): OutgoingMessage {
    return {
      exchange: '',
      routingKey: replyQueue,
      content: encodeEnvelope({ ...body, _msg_id: messageId, _unique_id: this.#options.newId() }),
      properties: WIRE_PROPERTIES,
      mandatory: true,
    };
  }

  /** What stood in the way, or undefined for a confirmed message. */
  async #attempt(message: OutgoingMessage, time: number): Promise<AgentError | undefined> {
    const { publisher, clock } = this.#options;
    try {
      const published = publisher.publish(message);
      const outcome = await withDeadline(clock, time, published, () => retryable('no confirm'));
      return outcome === 'confirmed' ? undefined : new NoQueue();
    } catch (error) {
      return error instanceof AgentError ? error : new AgentError(messageOf(error));
    }
  }
}

/** The broker knows no queue of that name. */
class NoQueue extends AgentError {
  constructor() {
    super('its queue does not exist', { retryable: true });
  }
}

function retryable(message: string): AgentError {
  return new AgentError(message, { retryable: true });
}
