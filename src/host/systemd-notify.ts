import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { sleep, type Clock } from '../base/clock.ts';
import { childEnvironment } from '../base/child-environment.ts';
import type { Logger } from '../base/log.ts';
import { messageOf } from '../base/errors.ts';

/** How long systemd may take to listen (ms). */
const NOTIFY_MS = 10_000;

/**
 * Tells systemd that this process is ready and, as long as it is asked to, that it is not stuck
 * (sd_notify(3)); does nothing when systemd does not want to know. Node.js has no datagram sockets
 * of the kind, so systemd's own tool sends them: a process of some milliseconds, three times per
 * WatchdogSec.
 */
export class SystemdNotify {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(environment: NodeJS.ProcessEnv, clock: Clock, log: Logger) {
    this.#environment = environment;
    this.#clock = clock;
    this.#log = log;
  }

  /** Says that the start is over, then keeps the watchdog quiet until `signal` aborts. */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#say('READY=1');
    const pauseMs = Number(this.#environment['WATCHDOG_USEC'] ?? 0) / 1000 / 3;
    while (pauseMs > 0 && !signal.aborted) {
      await this.#say('WATCHDOG=1');
      await sleep(this.#clock, pauseMs, signal);
    }
  }

  async #say(state: string): Promise<void> {
    const socket = this.#environment['NOTIFY_SOCKET'];
    if (socket === undefined) return;
    const env = childEnvironment({ NOTIFY_SOCKET: socket }, this.#environment);
    const options = { env, timeout: NOTIFY_MS };
    await promisify(execFile)('systemd-notify', [state], options).catch((error: unknown) => {
      this.#log.warn({ state, reason: messageOf(error) }, 'systemd cannot be told');
    });
  }
}
