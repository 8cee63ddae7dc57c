import type { Clock } from '../base/clock.ts';
import { withDeadline } from '../base/wait.ts';
import { isLoopbackAddress, isLoopbackName } from '../host/loopback.ts';
import type { ResolveName } from '../host/resolve-name.ts';
import type { RoleWish } from './registration.ts';
import type { RoleDocument } from './role-document.ts';
import { RoleRefusedError } from './role-refused.ts';

/** What a role gate judges by. */
export interface RoleGateOptions {
  /** Makes a document of the text, or throws with the reason why it cannot be used. */
  parse: (text: string, desired: RoleWish) => RoleDocument;
  resolve: ResolveName;
  /** Whether servers may have loopback addresses: all of them are on this machine. */
  loopback: boolean;
  /**
   * Why a server of the role is not where the ring is, by the addresses of its name; null when it is.
   * Default: nothing is known of networks.
   */
  whyMisplaced?:
    | ((name: string, addresses: readonly string[], isSelf: boolean) => Promise<string | null>)
    | undefined;
  /** Why the role's data file leads elsewhere, by the links on this VM; null when it does not. */
  whyOutside: (file: string) => Promise<string | null>;
  clock: Clock;
}

/** A document that may be used, or why it has to be read once more first. */
export type Verdict = { kind: 'good'; document: RoleDocument } | { kind: 'doubtful'; why: string };

/** A doubtful document is believed when it is the same after so long (ms). */
export const DOUBT_MS = 1_000;
/** getaddrinfo can take longer than this when DNS is away (ms). */
const RESOLVE_LIMIT_MS = 5_000;
/** After so many names that do not resolve the others are not asked for: DNS may be slow. */
const MOST_UNRESOLVED = 3;

/** Decides whether a role resource that was read takes the place of the last good one. */
export class RoleGate {
  readonly #options: RoleGateOptions;
  #doubted: { text: string; at: number } | null = null;

  constructor(options: RoleGateOptions) {
    this.#options = options;
  }

  /**
   * Judges a text by itself and by the last good document.
   *
   * @throws RoleRefusedError with the reason when it must not be used at all.
   */
  async judge(text: string, desired: RoleWish, last: RoleDocument | null): Promise<Verdict> {
    const document = this.#options.parse(text, desired);
    this.#checkLoopback(document);
    await this.#checkFile(document.roleFile);
    await this.#checkNames(document, last?.servers ?? []);
    const why = doubtAbout(document, last);
    if (why !== null && !this.#isConfirmed(text)) return { kind: 'doubtful', why };
    this.#doubted = null;
    return { kind: 'good', document };
  }

  /** Whether this doubtful text was read before, long enough ago. */
  #isConfirmed(text: string): boolean {
    const now = this.#options.clock.monotonic();
    if (this.#doubted?.text === text) return now - this.#doubted.at >= DOUBT_MS;
    this.#doubted = { text, at: now };
    return false;
  }

  async #checkFile(file: string | null): Promise<void> {
    const why = file === null ? null : await this.#options.whyOutside(file);
    if (why !== null) throw new RoleRefusedError(`[K2HDKC] K2HFILE: ${why}`);
  }

  /**
   * A name such as `localhost` is another machine on each machine: chmpx takes it for itself, or finds
   * a stranger there.
   */
  #checkLoopback({ servers, neighbours }: RoleDocument): void {
    if (this.#options.loopback || (servers.length < 2 && neighbours.length === 0)) return;
    refuseLoopback(servers.filter(isLoopbackName));
  }

  /**
   * Names that the ring did not have before must resolve. chmpx takes those that do not, and then
   * waits for DNS again and again. A server that is known must not stop all changes of the ring
   * when its name is gone before its entry is.
   */
  async #checkNames(
    { ini, servers, neighbours }: RoleDocument,
    known: readonly string[],
  ): Promise<void> {
    const old = new Set(known);
    // A VM's own name may lead to 127.0.1.1 on itself, as Debian and cloud-init write it.
    const others = new Set(ini === null ? servers : neighbours.map(({ name }) => name));
    const lost: string[] = [];
    const loopback: string[] = [];
    const misplaced: string[] = [];
    for (const name of servers) {
      if (old.has(name)) continue;
      const addresses = await this.#addresses(name);
      if (addresses.length === 0) lost.push(name);
      else if (others.has(name) && addresses.every(isLoopbackAddress)) loopback.push(name);
      const isSelf = !others.has(name);
      const why = await this.#options.whyMisplaced?.(name, addresses, isSelf);
      if (why != null) misplaced.push(why);
      if (lost.length === MOST_UNRESOLVED) break;
    }
    if (!this.#options.loopback) refuseLoopback(loopback);
    const [misplacedFirst] = misplaced;
    if (misplacedFirst !== undefined)
      throw new RoleRefusedError(notInRing(misplacedFirst, misplaced.length));
    if (lost.length === 0) return;
    throw new RoleRefusedError(
      `[SVRNODE] NAME ${lost.join(', ')} cannot be resolved: put it into DNS, or take its host out of the role`,
    );
  }

  #addresses(name: string): Promise<string[]> {
    const { clock, resolve } = this.#options;
    const late = (): Error => new Error('too late');
    return withDeadline(clock, RESOLVE_LIMIT_MS, resolve(name), late).catch(() => []);
  }
}

/** One is enough to find out what is wrong; of a wrong choice of this VM all are. */
function notInRing(first: string, count: number): string {
  const more = count > 1 ? ` (and ${count - 1} more)` : '';
  return `[SVRNODE] ${first}${more}: correct DNS or /etc/hosts, node.network of this VM, or what that VM has registered`;
}

function refuseLoopback(names: readonly string[]): void {
  if (names.length === 0) return;
  const [name = ''] = names;
  throw new RoleRefusedError(
    `[SVRNODE] NAME ${names.slice(0, MOST_UNRESOLVED).join(', ')} is a loopback address here, and so another machine on each: set the host name of the VM that registered as ${name}, and take the entry out of the role`,
  );
}

/**
 * A K2HR3 whose backend stalls can answer with a part of the truth (docs/contracts/k2hr3.md, 7.2),
 * and while a host registers again it is missing for a moment (docs/contracts/k2hr3.md, 2.4).
 */
function doubtAbout(document: RoleDocument, last: RoleDocument | null): string | null {
  if (last === null) return null;
  const now = new Set(document.servers);
  const gone = last.servers.filter((name) => !now.has(name)).length;
  if (gone > 1) return `${gone} servers are gone at once`;
  if (last.ini !== null && document.ini === null) return 'this node is missing';
  return null;
}
