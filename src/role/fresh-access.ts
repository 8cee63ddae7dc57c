import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import type { GetAccess, RoleAccess } from '../k2hr3/extdata.ts';
import type { HttpOptions } from '../k2hr3/exchange.ts';
import { isMember } from '../k2hr3/registration-calls.ts';
import { fingerprintOf } from '../k2hr3/registration-record.ts';
import { readResourceKey } from '../k2hr3/resource.ts';
import type { Registration } from './registration.ts';

/** So many 401 in a row, over so long (ms), are more than a backend that is slow. */
const REFUSALS = 3;
const REFUSED_FOR_MS = 120_000;

/**
 * Decides when the role token is dead, and finds the one that took its place. A 401 alone proves
 * nothing: a K2HR3 with a slow backend says it to everybody (docs/contracts/k2hr3.md, 7.1 and 8.2).
 */
export class FreshAccess {
  readonly #getAccess: GetAccess;
  readonly #clock: Clock;
  readonly #secrets: Secrets;
  readonly #log: Logger;
  #refusals = 0;
  #since = 0;

  constructor(parts: { clock: Clock; secrets: Secrets; log: Logger; getAccess: GetAccess }) {
    const { clock, secrets, log, getAccess } = parts;
    this.#getAccess = getAccess;
    this.#clock = clock;
    this.#secrets = secrets;
    this.#log = log;
  }

  /** The token was taken. */
  accepted(): void {
    this.#refusals = 0;
  }

  /** The token was refused by a 401; whether it is time to look for another. */
  refused(): boolean {
    const now = this.#clock.monotonic();
    if (this.#refusals === 0) this.#since = now;
    this.#refusals += 1;
    return this.#refusals >= REFUSALS && now - this.#since >= REFUSED_FOR_MS;
  }

  /**
   * Another access to the same role, proven by a read; null when there is none. The extdata URL is
   * asked only while K2HR3's backend is proven alive, which its knowing this host does, or when the
   * URL is not the one that the dead token came from. Throws K2hr3Error.
   */
  async find(
    http: HttpOptions,
    registration: Registration,
    extdataUrl: string,
  ): Promise<(RoleAccess & { extdataFingerprint: string }) | null> {
    const extdataFingerprint = fingerprintOf(extdataUrl);
    const isSameUrl = extdataFingerprint === registration.extdataFingerprint;
    if (isSameUrl && !(await isMember(http, registration, registration.cuk))) return null;
    const access = await this.#getAccess(http, extdataUrl);
    this.#secrets.add('role', access.roleToken);
    if (access.roleName !== registration.roleName) return null;
    if (access.roleToken === registration.roleToken) return null;
    await readResourceKey(http, access, 'chmpx-mode');
    this.accepted();
    this.#log.warn('K2HR3 takes the role token no more: the extdata URL gave a new one');
    return { ...access, extdataFingerprint };
  }
}
