import { Backoff, type Random } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { AgentError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import type { ResolveName } from '../host/resolve-name.ts';
import { K2hr3Error } from '../k2hr3/k2hr3-error.ts';
import { fetchRoleAccess, type GetAccess } from '../k2hr3/extdata.ts';
import type { HttpOptions } from '../k2hr3/exchange.ts';
import { isMember, register } from '../k2hr3/registration-calls.ts';
import { fingerprintOf } from '../k2hr3/registration-record.ts';
import { readResource, readResourceKey, type ResourceReading } from '../k2hr3/resource.ts';
import { removeUpstreamFiles, writeUpstreamFiles } from '../k2hr3/upstream-files.ts';
import type { ClusterParameters } from '../trove/overrides.ts';
import { parametersKey, type Registration, type RoleWishStore } from './registration.ts';
import { FreshAccess } from './fresh-access.ts';
import { leaveRole } from './leave-role.ts';
import { whyOtherCluster } from './other-cluster.ts';
import { readEntries, removeOlderEntries } from './role-entries.ts';

/** What the membership of this VM in its role works with. */
export interface MembershipOptions {
  desired: RoleWishStore;
  http: HttpOptions;
  /** Gets the access to the role; it is given `parameters.extdataUrl`. Default: as extdata. */
  access?: GetAccess;
  cuk: () => Promise<string>;
  /** The name to register under, which the others must be able to resolve. Asked each time. */
  nodeName: () => Promise<string>;
  /**
   * The address to call K2HR3 from when none is configured, if that should stay the same; `kept` is the
   * one of the registration before. Default: the system chooses each time.
   */
  sourceAddress?: (apiUri: string, kept: string | undefined) => Promise<string | undefined>;
  /** Whether this VM has an address, to call from. Default: it has. */
  hasAddress?: (address: string) => boolean;
  /** Where the files for K2HR3's own tools are kept. */
  filesDirectory: string;
  retry: { firstMs: number; capMs: number };
  resolve: ResolveName;
  secrets: Secrets;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** After a registration the role is read anew within this time; up to twice as long (ms). */
const SETTLE_MS = 1_000;

/**
 * This VM's membership in the K2HR3 role: register, verify, unregister. A 201 does not mean
 * registered, so a member is one that K2HR3 itself says is one, and the role watch has the last
 * word: the ring must hold this node's CUK.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #backoff: Backoff;
  readonly #freshAccess: FreshAccess;
  readonly #getAccess: GetAccess;
  #notBefore = 0;
  #settled = 0;
  #problem: string | null = null;
  /** The extdata URL that leads to another cluster than the one that was asked for. */
  #misled: { parameters: ClusterParameters; why: string } | null = null;

  constructor(options: MembershipOptions) {
    const { retry, random, desired, secrets } = options;
    this.#options = options;
    this.#backoff = new Backoff({ first: retry.firstMs, cap: retry.capMs, jitter: 0.3 }, random);
    this.#getAccess = options.access ?? fetchRoleAccess;
    this.#freshAccess = new FreshAccess({ ...options, getAccess: this.#getAccess });
    secrets.add('role', desired.current.registration?.roleToken);
  }

  /** Why the last registration or its end failed, in one line; null when it did not. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Why a registration with these parameters makes no sense, by the last try; null when none is known. */
  refusalOf(parameters: ClusterParameters | null): string | null {
    const isIt =
      this.#misled?.parameters.clusterName === parameters?.clusterName &&
      this.#misled?.parameters.extdataUrl === parameters?.extdataUrl;
    return isIt ? (this.#misled?.why ?? null) : null;
  }

  /** How long the next call must still wait after a failed one, in milliseconds. */
  get retryInMs(): number {
    return Math.max(0, this.#notBefore - this.#options.clock.monotonic());
  }

  /**
   * How long a role that lacks this node is no reason to register it once more (ms): the role may have
   * been read before.
   */
  get settlesInMs(): number {
    return Math.max(0, this.#settled - this.#options.clock.monotonic());
  }

  /** Extdata → clear the way → register → ask whether it is true. Repeatable at any point. */
  async register(parameters: ClusterParameters, signal: AbortSignal): Promise<void> {
    await this.#paced(async () => {
      const { desired, log, secrets } = this.#options;
      const first = { ...this.#options.http, signal };
      secrets.add('role', parameters.extdataUrl);
      const access = await this.#getAccess(first, parameters.extdataUrl);
      secrets.add('role', access.roleToken);
      const why = whyOtherCluster(parameters.clusterName, access.roleName);
      this.#misled = why === null ? null : { parameters, why };
      if (why !== null) throw new AgentError(why);
      const cuk = await this.#options.cuk();
      const tag = await this.#options.nodeName();
      await this.#leaveOther(access.roleName, cuk, signal);
      const localAddress = first.localAddress ?? (await this.#sourceAddress(access.apiUri));
      const http = { ...first, localAddress };
      const registration: Registration = {
        ...access,
        cuk,
        tag,
        ...(localAddress === undefined ? {} : { localAddress }),
        extdataFingerprint: fingerprintOf(parameters.extdataUrl),
        parametersKey: parametersKey(parameters),
      };
      // Remembered before it is made, so that whatever happens it can be undone.
      await desired.update({ registration });
      await this.#registerAs(registration, http);
      await this.writeFiles();
      log.info(
        { role: access.roleName, name: tag, cuk, from: localAddress },
        'registered in K2HR3',
      );
    });
    const { clock, random } = this.#options;
    this.#settled = clock.monotonic() + SETTLE_MS * (1 + random());
  }

  /** Ends the registration that was made, whatever the parameters say now. */
  unregister(signal: AbortSignal): Promise<void> {
    return this.#paced(async () => {
      const { desired } = this.#options;
      const { registration } = desired.current;
      if (registration === null) return;
      await this.#leave(registration, signal);
      await desired.update({ registration: null });
      await this.#onDisk(removeUpstreamFiles(this.#options.filesDirectory));
    });
  }

  /** Reads the role resource of a registration, and finds a new token for one that is dead. */
  async read(
    registration: Registration,
    etag: string | undefined,
    signal: AbortSignal,
  ): Promise<ResourceReading> {
    const http = this.#httpOf(registration, signal);
    try {
      const reading = await readResource(http, registration, etag);
      this.#freshAccess.accepted();
      return reading;
    } catch (error) {
      if (!(error instanceof K2hr3Error)) throw error;
      if (error.kind !== 'unauthorized') this.#freshAccess.accepted();
      else if (this.#freshAccess.refused()) await this.#renewAccess(registration, http);
      throw error;
    }
  }

  /** Reads one key of the role resource of a registration. */
  readKey(registration: Registration, key: string, signal: AbortSignal): Promise<string> {
    return readResourceKey(this.#httpOf(registration, signal), registration, key);
  }

  /** Writes the files for K2HR3's own tools, if this VM is registered. */
  async writeFiles(): Promise<void> {
    const { registration } = this.#options.desired.current;
    if (registration === null) return;
    await this.#onDisk(
      writeUpstreamFiles(this.#options.filesDirectory, registration, registration),
    );
  }

  /** Calls come from the address that was registered, for as long as this VM has it. */
  #httpOf({ localAddress }: Registration, signal: AbortSignal): HttpOptions {
    const { http, hasAddress = () => true } = this.#options;
    const isThere = localAddress !== undefined && hasAddress(localAddress);
    return { ...http, localAddress: isThere ? localAddress : http.localAddress, signal };
  }

  async #sourceAddress(apiUri: string): Promise<string | undefined> {
    const { sourceAddress, desired } = this.#options;
    return sourceAddress?.(apiUri, desired.current.registration?.localAddress);
  }

  /** Registers unless K2HR3 has this host already: doing it again would remove it for a moment. */
  async #registerAs(registration: Registration, http: HttpOptions): Promise<void> {
    const { resolve, log } = this.#options;
    const { cuk, tag } = registration;
    const entries = await readEntries(http, registration);
    const known = { http, access: registration, identity: registration, entries, resolve, log };
    await removeOlderEntries(known);
    const isListed = entries.some((entry) => entry.cuk === cuk && entry.name === tag);
    if (isListed && (await isMember(http, registration, cuk))) return;
    await register(http, registration, registration);
    if (await isMember(http, registration, cuk)) return;
    throw new AgentError(
      `K2HR3 accepted the registration of ${tag} and lost it (it does that under load); registering again`,
      { retryable: true },
    );
  }

  /** Ends a registration in another role: the extdata URL can lead elsewhere than it did. */
  async #leaveOther(roleName: string, cuk: string, signal: AbortSignal): Promise<void> {
    const { registration: old } = this.#options.desired.current;
    if (old === null || (old.roleName === roleName && old.cuk === cuk)) return;
    await this.#leave(old, signal);
  }

  async #leave(registration: Registration, signal: AbortSignal): Promise<void> {
    const { desired, log } = this.#options;
    const { cuk, roleName: role } = registration;
    const http = this.#httpOf(registration, signal);
    const extdataUrl = desired.current.parameters?.extdataUrl;
    const outcome = await leaveRole(
      http,
      registration,
      extdataUrl === undefined ? undefined : () => this.#getAccess(http, extdataUrl),
    );
    log.info({ role, cuk, outcome }, 'unregistered from K2HR3');
  }

  /** What goes wrong here is not worth more than the 401 that led to it. */
  async #renewAccess(registration: Registration, http: HttpOptions): Promise<void> {
    const { desired, log, secrets } = this.#options;
    const { parameters } = desired.current;
    secrets.add('role', parameters?.extdataUrl);
    if (parameters === null || parametersKey(parameters) !== registration.parametersKey) return;
    try {
      const access = await this.#freshAccess.find(http, registration, parameters.extdataUrl);
      if (access === null || desired.current.registration !== registration) return;
      await desired.update({ registration: { ...registration, ...access } });
      await this.writeFiles();
    } catch (err) {
      log.debug({ err }, 'no other role token was found');
    }
  }

  /** The agent itself does not need the files. */
  async #onDisk(change: Promise<void>): Promise<void> {
    await change.catch((err: unknown) => {
      this.#options.log.warn({ err }, 'the files for the tools of K2HR3 stay as they were');
    });
  }

  async #paced(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#backoff.reset();
      this.#notBefore = 0;
      this.#problem = null;
    } catch (error) {
      this.#problem = messageOf(error);
      this.#notBefore = this.#options.clock.monotonic() + this.#backoff.next();
      throw error;
    }
  }
}
