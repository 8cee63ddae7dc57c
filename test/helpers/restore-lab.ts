import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { restoreBackup } from '../../src/backup/restore/restore.ts';
import { parseRestoreRequest } from '../../src/backup/backup-info.ts';
import type { StorageConfig } from '../../src/backup/swift/storage-config.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Secrets } from '../../src/base/secrets.ts';
import { runK2hlinetool } from '../../src/backup/k2hlinetool.ts';
import { md5 } from '../backup/objects.ts';
import { standInK2hlinetool } from '../backup/tools.ts';
import type { SwiftAccount } from '../peers/swift/account.ts';
import type { Door } from './backup-lab.ts';
import { recordingLog } from './recording-log.ts';
import { PLAIN_STORAGE } from './storage-config.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const GEOMETRY = { maskBit: 4, collisionMaskBit: 4, maxElements: 8, pageSize: 128, fullMap: true };
const CONTAINER = PLAIN_STORAGE.container;

/** How a restore differs from a plain one. */
export interface RestoreChange {
  checksum?: string;
  token?: string;
  object?: string;
  /** In place of the object in the usual container. */
  location?: string;
  tool?: string;
  storage?: Partial<StorageConfig>;
  signal?: AbortSignal;
}

/**
 * A node whose k2hdkc is stopped, with a k2h file of one key, `old`, and backups in a real Swift
 * behind a door in which things go wrong.
 */
export class RestoreLab {
  readonly data: string;
  readonly tool: string;
  readonly log = recordingLog();
  readonly #account: SwiftAccount;
  readonly #door: Door;

  private constructor(data: string, tool: string, account: SwiftAccount, door: Door) {
    this.data = data;
    this.tool = tool;
    this.#account = account;
    this.#door = door;
  }

  static async open(account: SwiftAccount, door: Door): Promise<RestoreLab> {
    const directory = await temporaryDirectory();
    const lab = new RestoreLab(
      path.join(directory, 'data'),
      await standInK2hlinetool(directory),
      account,
      door,
    );
    await mkdir(lab.data);
    await lab.run('set old value');
    return lab;
  }

  get file(): string {
    return path.join(this.data, 'k2hdkc.k2h');
  }

  /** Runs a command of k2hlinetool on the k2h file. */
  run(command: string): Promise<string> {
    const directory = path.dirname(this.data);
    const { tool, file } = this;
    return runK2hlinetool({
      command: tool,
      desk: { directory, user: null },
      file,
      attach: GEOMETRY,
      commands: [command],
    });
  }

  /** The keys in the k2h file, with their values. */
  async keys(): Promise<Record<string, string>> {
    const lines = (await this.run('list')).matchAll(/^\+"(.*)" => "(.*)"$/gm);
    return Object.fromEntries([...lines].map(([, key = '', value = '']) => [key, value]));
  }

  /** Puts a backup into Swift; in segments of this size when there is one. */
  async store(body: Buffer, { segmentSize, ending = 'gz' } = {} as StoreOptions): Promise<Stored> {
    const object = `${randomBytes(8).toString('hex')}.${ending}`;
    await this.#account.makeContainer(CONTAINER);
    if (segmentSize === undefined) {
      await this.#account.put(CONTAINER, object, body);
      return { object, checksum: md5(body) };
    }
    return { object, checksum: await this.#account.putLarge(CONTAINER, object, body, segmentSize) };
  }

  /** Restores a backup by way of the door. */
  restore(stored: Stored, change: RestoreChange = {}): Promise<void> {
    const request = parseRestoreRequest({
      id: 'b-1',
      instance_id: 'i-1',
      location:
        change.location ?? `${this.#door.url()}/${CONTAINER}/${change.object ?? stored.object}`,
      type: 'full',
      checksum: change.checksum ?? stored.checksum,
      swift_url: this.#door.url(),
    });
    const parts = {
      storage: { ...PLAIN_STORAGE, ...change.storage },
      k2hlinetool: change.tool ?? this.tool,
      toolUser: null,
      clock: systemClock,
      random: () => 0.5,
      secrets: new Secrets(),
      log: this.log.log,
      pauses: { first: 1, cap: 5 },
    };
    const token = change.token ?? this.#account.token;
    return restoreBackup(parts, {
      request,
      caller: { token, projectId: 'test', serviceCatalog: [] },
      target: { file: this.file, geometry: GEOMETRY },
      dataFolders: [this.data],
      signal: change.signal ?? new AbortController().signal,
    });
  }

  /** What is on the data volume, and what the k2h file holds. */
  async disk(): Promise<{ names: string[]; k2h: string }> {
    return { names: await readdir(this.data), k2h: md5(await readFile(this.file)) };
  }
}

interface StoreOptions {
  segmentSize?: number;
  ending?: string;
}

/** A backup in Swift. */
export interface Stored {
  object: string;
  checksum: string;
}
