import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SwiftAccount } from './account.ts';
import { FaultDoor } from './fault-door.ts';
import { launchSwift, type Launched } from './launch.ts';
import type { ObjectStore } from './object-store.ts';

/** How a Swift is started. */
export interface SwiftOptions {
  /** Projects with a user of their own: letters and digits. Default: `test`. */
  projects?: readonly string[];
  /** A larger object is refused with 413, in bytes. Default that of Swift, 5 GiB and a little. */
  maxFileSize?: number;
  /** Entries of a page of a list. Default that of Swift, 10000. */
  listingLimit?: number;
  /** What a static large object may be; null: there are none. Default as of Swift. */
  slo?: { segments: number; leastBytes: number } | null;
}

/**
 * A real Swift of one node with one replica and tempauth (docs/contracts/swift.md, 9), private and
 * on 127.0.0.1. SLO needs no more than a body in segments of any size from 1 byte.
 */
export class SwiftPeer implements ObjectStore {
  readonly #launched: Launched;
  readonly #keys: Record<string, string>;

  private constructor(launched: Launched, keys: Record<string, string>) {
    this.#launched = launched;
    this.#keys = keys;
  }

  /** Starts one; about 2 s. */
  static async start(options: SwiftOptions = {}): Promise<SwiftPeer> {
    const { projects = ['test'], maxFileSize = 5_368_709_122, listingLimit = 10_000 } = options;
    const { slo = { segments: 1000, leastBytes: 1 } } = options;
    for (const project of projects) {
      if (!/^[a-z0-9]+$/i.test(project)) throw new Error(`not a project for tempauth: ${project}`);
    }
    const keys = Object.fromEntries(projects.map((name) => [name, randomBytes(8).toString('hex')]));
    return new SwiftPeer(
      await launchSwift({ projects: keys, maxFileSize, listingLimit, slo }),
      keys,
    );
  }

  /** The proxy's port on 127.0.0.1. */
  get port(): number {
    return this.#launched.port;
  }

  /** The root of all its processes. */
  get pid(): number {
    return this.#launched.pid;
  }

  /** Holds all its files, and `swift.log`. */
  get directory(): string {
    return this.#launched.directory;
  }

  /** The swift_url of a project, as Trove hands it out. */
  url(project = 'test'): string {
    return `http://127.0.0.1:${this.port}/v1/AUTH_${project}`;
  }

  /** A new token of a project's user; it is good for a day and for that project only. */
  async token(project = 'test'): Promise<string> {
    const key = this.#keys[project];
    if (key === undefined) throw new Error(`Swift was not started with project ${project}`);
    const response = await fetch(`http://127.0.0.1:${this.port}/auth/v1.0`, {
      headers: { 'X-Auth-User': `${project}:trove`, 'X-Auth-Key': key },
    });
    await response.arrayBuffer();
    const token = response.headers.get('x-auth-token');
    if (token === null) throw new Error(`tempauth answered ${response.status}`);
    return token;
  }

  /** A project's objects, past every fault door. */
  async account(project = 'test'): Promise<SwiftAccount> {
    return new SwiftAccount(this.url(project), await this.token(project));
  }

  /** A door in front of its proxy. */
  door(): Promise<FaultDoor> {
    return FaultDoor.start(this.port);
  }

  /**
   * From now on the disk is full: its object server takes so many bytes of an object and then
   * answers 507, which clients see as the proxy's 503. What is stored can be read and deleted.
   */
  async fill({ acceptBytes = 0 }: { acceptBytes?: number } = {}): Promise<void> {
    await writeFile(this.#fullSwitch, String(acceptBytes));
  }

  /** The disk has room again. */
  async empty(): Promise<void> {
    await rm(this.#fullSwitch, { force: true });
  }

  /** Ends it; nothing is left. */
  stop(): Promise<void> {
    return this.#launched.stop();
  }

  get #fullSwitch(): string {
    return path.join(this.directory, 'full');
  }
}
