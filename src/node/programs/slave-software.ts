import { Backoff, type Random } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { Alarm } from '../../base/wait.ts';
import { enableUnits, installPackages, missingPackages } from '../../host/packages.ts';
import { K2hr3Error } from '../../k2hr3/k2hr3-error.ts';
import type { DesiredStateStore } from '../desired-state.ts';
import type { Registration } from '../../role/registration.ts';

/** What looks after the software that a role asks for. */
export interface SlaveSoftwareOptions {
  desired: DesiredStateStore;
  /** Reads one key of the role resource. */
  readKey: (registration: Registration, key: string, signal: AbortSignal) => Promise<string>;
  /** Install what is missing; otherwise it is only named. */
  install: boolean;
  onInstalled: () => void;
  clock: Clock;
  random: Random;
  log: Logger;
}

const PACKAGES = 'k2hr3-init-packages';
const VENDOR_PACKAGES = 'k2hr3-init-packagecloud-packages';
const UNITS = 'k2hr3-init-systemd-packages';
/** What this agent does itself: a second chmpx on the same ports would ruin the first. */
const OWN_WORK = /^(chmpx|k2hdkc|k2hr3-get-resource)(\.service|\.timer)?$/;
/** Names of packages and units are other people's input on their way to a command line. */
const PACKAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9+._@:~-]*$/;
/** The registration wakes it; this is only a bound (ms). */
const UNREGISTERED_MS = 3_600_000;
const SOFTWARE_RETRY = { first: 5_000, cap: 300_000 };

/**
 * The packages and services that a slave's role asks for (docs/contracts/k2hr3.md, 2.2 and 6):
 * looked at once after the registration, and again only until it has worked.
 */
export class SlaveSoftware {
  readonly #options: SlaveSoftwareOptions;
  readonly #alarm = new Alarm();

  constructor(options: SlaveSoftwareOptions) {
    this.#options = options;
    options.desired.onChange(() => this.#alarm.ring());
  }

  async run(signal: AbortSignal): Promise<void> {
    const { desired, clock, random } = this.#options;
    const backoff = new Backoff(SOFTWARE_RETRY, random);
    while (!signal.aborted) {
      const pauseMs = await this.#try(desired.current.registration, backoff, signal);
      if (pauseMs === null) return;
      await this.#alarm.wait(clock, pauseMs, signal);
    }
  }

  /** How long until the next try (ms); null when all is there. */
  async #try(
    registration: Registration | null,
    backoff: Backoff,
    signal: AbortSignal,
  ): Promise<number | null> {
    if (registration === null) return UNREGISTERED_MS;
    try {
      await this.#lookAfter(registration, signal);
      return null;
    } catch (error) {
      const problem = messageOf(error);
      if (!signal.aborted)
        this.#options.log.warn({ problem }, 'the software of the role is missing');
      return backoff.next();
    }
  }

  async #lookAfter(registration: Registration, signal: AbortSignal): Promise<void> {
    const { install, log, onInstalled } = this.#options;
    const names = (key: string): Promise<string[]> => this.#names(registration, key, signal);
    const missing = await missingPackages(await names(PACKAGES));
    const vendor = await missingPackages(await names(VENDOR_PACKAGES));
    const units = await names(UNITS);
    if (vendor.length > 0) {
      const why = 'they are in a package source of their vendor, which this agent never adds';
      log.warn({ packages: vendor, why }, 'the role asks for packages that are missing');
    }
    if (!install) {
      if (missing.length > 0) {
        const why = 'slave.install_packages is false';
        log.warn({ packages: missing, why }, 'the role asks for packages that are missing');
      }
      return;
    }
    if (missing.length > 0) {
      log.info({ packages: missing }, 'installing what the role asks for');
      await installPackages(missing, signal);
      onInstalled();
    }
    const own = units.filter((unit) => OWN_WORK.test(unit));
    if (own.length > 0)
      log.info({ units: own }, 'not started as services: this agent does their work');
    const others = units.filter((unit) => !OWN_WORK.test(unit));
    if (others.length > 0) {
      log.info({ units: others }, 'starting what the role asks for');
      await enableUnits(others, signal);
    }
  }

  /** The names in one key of the role; none when the role has no such key. */
  async #names(registration: Registration, key: string, signal: AbortSignal): Promise<string[]> {
    const { readKey, log } = this.#options;
    const text = await readKey(registration, key, signal).catch(async (error: unknown) => {
      if (!(error instanceof K2hr3Error) || error.kind !== 'not-found') throw error;
      // A slow backend says the same; a key that every role has tells which it is.
      await readKey(registration, 'chmpx-mode', signal);
      return '';
    });
    const names = text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    const odd = names.filter((name) => !PACKAGE_NAME.test(name));
    if (odd.length > 0) log.warn({ key, names: odd }, 'names that cannot be those of packages');
    return names.filter((name) => PACKAGE_NAME.test(name));
  }
}
