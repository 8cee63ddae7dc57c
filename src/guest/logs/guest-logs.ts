import type { Random } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { AgentError, messageOf, Unfinished } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Secrets } from '../../base/secrets.ts';
import { callerOf } from '../../backup/swift/caller.ts';
import type { BackoffOptions } from '../../base/backoff.ts';
import type { StorageConfig } from '../../backup/swift/storage-config.ts';
import { badRequest, guestError, logAccessForbidden, notFound } from '../../trove/exceptions.ts';
import type { GuestLogView } from '../../trove/guest-log-view.ts';
import type { JsonObject } from '../../trove/json.ts';
import type { LogOptions } from '../../trove/log-options.ts';
import { RpcFailure } from '../../oslo/failure.ts';
import type { GuestLog } from './guest-log.ts';
import type { LogInSwift } from './log-in-swift.ts';
import type { LogRecords } from './log-records.ts';
import { Turns } from './turns.ts';
import { pendingOf, viewOf } from './view.ts';

/** What the logs of this VM are served with. */
export interface GuestLogsParts {
  instanceId: string;
  logs: readonly GuestLog[];
  options: LogOptions;
  records: LogRecords;
  storage: StorageConfig;
  /** Trove waits so long for an answer (ms). */
  answerMs: number;
  /** The agent ends. */
  ending: AbortSignal;
  /** See SwiftClient (ms). */
  silenceTimeoutMs?: number | undefined;
  /** Between tries (ms). */
  pauses?: BackoffOptions | undefined;
  clock: Clock;
  random: Random;
  secrets: Secrets;
  log: Logger;
}

/** What guest_log_action is asked to do. */
export interface LogAction {
  log_name: string;
  enable: boolean;
  disable: boolean;
  publish: boolean;
  discard: boolean;
}

/** A log as the caller of one request has it. */
interface Opened {
  log: GuestLog;
  place: LogInSwift;
  signal: AbortSignal;
}

/** Publishing begins no new piece after this part of the time for an answer; the next publishing goes on. */
const PUBLISHING_SHARE = 0.6;

/**
 * Guest logs, as Trove's own agent has them (docs/contracts/guest.md, 3): who may see which, what each action
 * means, and what is answered. Each project has its logs in its own account.
 */
export class GuestLogs {
  readonly #parts: GuestLogsParts;
  readonly #turns = new Turns();

  constructor(parts: GuestLogsParts) {
    this.#parts = parts;
  }

  /** The logs that the caller may see. Throws RpcFailure. */
  list(context: JsonObject): Promise<GuestLogView[]> {
    const seen = this.#parts.logs.filter((log) => this.#isExposed(log, context));
    return this.#answering(async (signal) => {
      const views: GuestLogView[] = [];
      for (const log of seen) {
        views.push(await this.#opened(log, context, signal, (opened) => this.#view(opened)));
      }
      return views;
    });
  }

  /** Does what is asked, and answers how the log is then. Throws RpcFailure. */
  act(action: LogAction, context: JsonObject): Promise<GuestLogView> {
    const log = this.#permitted(action, context);
    const { publish, discard, disable } = action;
    const enable = action.enable || (publish && !disable);
    return this.#answering((signal) =>
      this.#opened(log, context, signal, async (opened) => {
        if (enable || disable || discard) {
          await this.#turns.take(log.name, async () => {
            signal.throwIfAborted();
            if (log.type === 'USER' && enable !== disable) {
              await this.#parts.records.enable(log.name, enable);
            }
            if (discard) await this.#discard(opened);
            if (publish) await this.#publish(opened);
          });
        }
        return this.#view(opened);
      }),
    );
  }

  #permitted({ log_name: name, ...action }: LogAction, context: JsonObject): GuestLog {
    if (action.enable && action.disable) {
      throw badRequest(`Cannot enable and disable log '${name}'.`);
    }
    const log = this.#parts.logs.find((one) => one.name === name);
    if (log === undefined) throw notFound(`Log '${name}' is not defined.`);
    if (!this.#isExposed(log, context)) throw logAccessForbidden('show', name);
    if (log.type === 'SYS' && !action.publish && (action.enable || action.disable)) {
      const what = action.enable ? 'enable' : 'disable';
      throw badRequest(`Cannot ${what} a SYSTEM log ('${name}').`);
    }
    return log;
  }

  #isExposed({ name }: GuestLog, context: JsonObject): boolean {
    const { exposed } = this.#parts.options;
    return context['is_admin'] === true || exposed.includes('all') || exposed.includes(name);
  }

  async #publish({ log, place }: Opened): Promise<void> {
    const { clock, answerMs } = this.#parts;
    if (log.source === null) {
      throw new AgentError(
        `the log ${log.name} cannot be published: the agent writes it neither to the journal nor to a file`,
      );
    }
    // Before the log is read: the line of it that says so is then published, too.
    this.#parts.log.info({ log: log.name }, 'publishing a guest log');
    const end = clock.monotonic() + answerMs * PUBLISHING_SHARE;
    await place.publish(log.source, () => clock.monotonic() >= end);
  }

  async #discard({ log, place }: Opened): Promise<void> {
    this.#parts.log.info({ log: log.name }, 'removing a published guest log');
    await place.discard();
  }

  async #view({ log, place, signal }: Opened): Promise<GuestLogView> {
    const { instanceId, records, options, clock } = this.#parts;
    const published = await place.published();
    return viewOf({
      log,
      instanceId,
      enabled: records.isEnabled(log.name),
      published,
      pending: await this.#pending(log, published.position, signal),
      expirySeconds: options.expirySeconds,
      wallMs: clock.wall(),
    });
  }

  async #pending(
    { name, source }: GuestLog,
    from: Parameters<typeof pendingOf>[1],
    signal: AbortSignal,
  ): Promise<number | null> {
    if (source === null) return null;
    try {
      return await pendingOf(source, from, signal);
    } catch (err) {
      signal.throwIfAborted();
      this.#parts.log.warn({ err, log: name }, 'a guest log cannot be read');
      return null;
    }
  }

  async #opened<T>(
    log: GuestLog,
    context: JsonObject,
    signal: AbortSignal,
    work: (opened: Opened) => Promise<T>,
  ): Promise<T> {
    const { instanceId, options, records, secrets, clock, random, pauses } = this.#parts;
    const caller = callerOf(context);
    // HTTP: not before it is needed, a start waits for it.
    const [{ openSwift }, { LogInSwift }] = await Promise.all([
      import('../../backup/swift/open-swift.ts'),
      import('./log-in-swift.ts'),
    ]);
    const open = (): ReturnType<typeof openSwift> =>
      openSwift({ swiftUrl: null }, caller, { ...this.#parts, signal });
    let opening: ReturnType<typeof openSwift> | null = null;
    const place = new LogInSwift({
      log,
      instanceId,
      projectId: caller.projectId,
      options,
      records,
      secrets,
      swift: async () => (await (opening ??= open())).client,
      patience: { clock, random, log: this.#parts.log, pauses, signal },
    });
    try {
      return await work({ log, place, signal });
    } finally {
      await closed(opening);
    }
  }

  /** Ends `work` when Trove waits no longer, or when the agent ends; its errors are those of Trove. */
  async #answering<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, answerMs, ending } = this.#parts;
    const late = new AbortController();
    const seconds = Math.round(answerMs / 1000);
    const cancel = clock.after(answerMs, () => {
      late.abort(new AgentError(`not done after ${seconds} s: publish again, it goes on there`));
    });
    try {
      return await work(AbortSignal.any([late.signal, ending]));
    } catch (error) {
      if (ending.aborted) throw new Unfinished('the agent stops; its next start does it');
      const reason: unknown = late.signal.aborted ? late.signal.reason : error;
      throw reason instanceof RpcFailure ? reason : guestError(messageOf(reason));
    } finally {
      cancel();
    }
  }
}

async function closed(opening: Promise<{ client: { close(): void } }> | null): Promise<void> {
  await opening?.then(
    ({ client }) => client.close(),
    () => undefined, // who opened it has heard that
  );
}
