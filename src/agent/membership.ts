import type { Random } from '../base/backoff.ts';
import { Backoff } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import { fetchRoleAccess, type RoleAccess } from '../k2hr3/extdata.ts';
import type { HttpOptions } from '../k2hr3/http.ts';
import { isMember, register, unregister } from '../k2hr3/registration.ts';
import { fingerprintOf } from '../k2hr3/registration-record.ts';
import { readResource, readResourceKey, type ResourceReading } from '../k2hr3/resource.ts';
import type { ClusterParameters } from '../trove/overrides.ts';
import { parametersKey, type DesiredStateStore, type Registration } from './desired-state.ts';

/** What the membership of this VM in its role works with. */
export interface MembershipOptions {
  desired: DesiredStateStore;
  http: HttpOptions;
  /** Gets the access to the role; it is given `parameters.extdataUrl`. Default: as extdata. */
  access?: (http: HttpOptions, extdataUrl: string) => Promise<RoleAccess>;
  cuk: () => Promise<string>;
  nodeName: string;
  retry: { firstMs: number; capMs: number };
  secrets: Secrets;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** After a registration the role is read anew within this time (ms). */
const SETTLE_MS = 2_000;

/**
 * This VM's membership in the K2HR3 role: register, verify, unregister. A 201 does not mean
 * registered, so a member is one that K2HR3 itself says is one, and the role watch has the last
 * word: the ring must hold this node's CUK.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #backoff: Backoff;
  #notBefore = 0;

  constructor(options: MembershipOptions) {
    const { retry, random, desired } = options;
    this.#options = options;
    this.#backoff = new Backoff({ first: retry.firstMs, cap: retry.capMs, jitter: 0.3 }, random);
    this.#keepSecret(desired.current.registration);
  }

  /** How long the next call must still wait after a failed one, in milliseconds. */
  get retryInMs(): number {
    return Math.max(0, this.#notBefore - this.#options.clock.monotonic());
  }

  /** Extdata → register → ask whether it is true. Repeatable at any point. */
  async register(parameters: ClusterParameters, signal: AbortSignal): Promise<void> {
    await this.#paced(async () => {
      const {
        desired,
        log,
        nodeName,
        secrets,
        access: getAccess = fetchRoleAccess,
      } = this.#options;
      const http = { ...this.#options.http, signal };
      secrets.add(parameters.extdataUrl);
      const access = await getAccess(http, parameters.extdataUrl);
      const cuk = await this.#options.cuk();
      const registration: Registration = {
        ...access,
        cuk,
        tag: nodeName,
        ...(http.localAddress === undefined ? {} : { localAddress: http.localAddress }),
        extdataFingerprint: fingerprintOf(parameters.extdataUrl),
        parametersKey: parametersKey(parameters),
      };
      this.#keepSecret(registration);
      // Remembered before it is made, so that whatever happens it can be undone.
      await desired.update({ registration });
      await register(http, access, { cuk, tag: nodeName });
      if (!(await isMember(http, access, cuk))) {
        throw new AgentError(
          'registration-lost',
          `K2HR3 accepted the registration of ${nodeName} and lost it (it does that under load); registering again`,
          { retryable: true },
        );
      }
      log.info({ role: access.roleName, name: nodeName, cuk }, 'registered in K2HR3');
    });
    // A role that was read before this still lacks the node; that is no reason to do it again.
    this.#notBefore = this.#options.clock.monotonic() + SETTLE_MS;
  }

  /** Ends the registration that was made, whatever the parameters say now. */
  unregister(signal: AbortSignal): Promise<void> {
    return this.#paced(async () => {
      const { desired, log } = this.#options;
      const { registration } = desired.current;
      if (registration === null) return;
      const { cuk, localAddress } = registration;
      const http = { ...this.#options.http, localAddress, signal };
      const outcome = await unregister(http, registration, cuk);
      if (outcome === 'not-a-member') {
        // A slow backend says the same; a token read tells which it is.
        await readResourceKey(http, registration, 'chmpx-mode');
      }
      log.info({ role: registration.roleName, cuk, outcome }, 'unregistered from K2HR3');
      await desired.update({ registration: null });
    });
  }

  /** Reads the role resource of a registration. */
  read(
    registration: Registration,
    etag: string | undefined,
    signal: AbortSignal,
  ): Promise<ResourceReading> {
    const { localAddress } = registration;
    return readResource({ ...this.#options.http, localAddress, signal }, registration, etag);
  }

  /** Reads one key of the role resource of a registration. */
  readKey(registration: Registration, key: string, signal: AbortSignal): Promise<string> {
    const { localAddress } = registration;
    return readResourceKey({ ...this.#options.http, localAddress, signal }, registration, key);
  }

  async #paced(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#backoff.reset();
      this.#notBefore = 0;
    } catch (error) {
      this.#notBefore = this.#options.clock.monotonic() + this.#backoff.next();
      throw error;
    }
  }

  #keepSecret(registration: Registration | null): void {
    this.#options.secrets.add(registration?.roleToken);
  }
}
