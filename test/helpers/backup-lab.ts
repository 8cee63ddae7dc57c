import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  makeBackup,
  type BackupParts,
  type BackupPlace,
  type BackupPlaces,
  type FinishedBackup,
} from '../../src/backup/make/backup.ts';
import { parseBackupRequest } from '../../src/backup/backup-info.ts';
import { runK2hlinetool } from '../../src/backup/k2hlinetool.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Secrets } from '../../src/base/secrets.ts';
import { record } from '../backup/records.ts';
import { standInK2hlinetool } from '../backup/tools.ts';
import type { SwiftAccount } from '../peers/swift/account.ts';
import type { FaultDoor } from '../peers/swift/fault-door.ts';
import { recordingLog } from './recording-log.ts';
import { PLAIN_STORAGE } from './storage-config.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const GEOMETRY = { maskBit: 4, collisionMaskBit: 4, maxElements: 8, pageSize: 128, fullMap: true };
/** Two members of data that does not compress. */
const SEGMENT_BYTES = 1_100_000;

/** The way to Swift. */
export type Door = Pick<FaultDoor, 'url'>;

/** How a backup differs from a plain one. */
export interface BackupChange {
  id?: string;
  token?: string;
  tool?: string;
  signal?: AbortSignal;
  parts?: Partial<BackupParts>;
}

/** A node with data, and a real Swift behind a door in which things go wrong. */
export class BackupLab {
  readonly data: string;
  readonly archive: Buffer;
  readonly log = recordingLog();
  readonly places = new PlacesInMemory();
  readonly #tool: string;
  readonly #account: SwiftAccount;
  readonly #door: Door;

  private constructor(
    parts: { data: string; archive: Buffer; tool: string },
    account: SwiftAccount,
    door: Door,
  ) {
    this.data = parts.data;
    this.archive = parts.archive;
    this.#tool = parts.tool;
    this.#account = account;
    this.#door = door;
  }

  /** With values of 100 kB of noise: three segments and a bit. */
  static async open(account: SwiftAccount, door: Door, values = 34): Promise<BackupLab> {
    const directory = await temporaryDirectory();
    const command = await standInK2hlinetool(directory);
    const data = path.join(directory, 'data');
    await mkdir(data);
    const records = Array.from({ length: values }, (_, n) => record(`k${n}`, randomBytes(100_000)));
    const archive = Buffer.concat(records);
    await writeFile(path.join(directory, 'a.k2har'), archive);
    const file = path.join(data, 'k2hdkc.k2h');
    const commands = ['ar load a.k2har'];
    const desk = { directory, user: null };
    await runK2hlinetool({ command, desk, file, attach: GEOMETRY, commands });
    return new BackupLab({ data, archive, tool: command }, account, door);
  }

  /** Backs up by way of the door. */
  backup(change: BackupChange = {}): Promise<FinishedBackup> {
    const parts: BackupParts = {
      storage: PLAIN_STORAGE,
      k2hlinetool: change.tool ?? this.#tool,
      toolUser: null,
      level: 1,
      segmentBytes: SEGMENT_BYTES,
      snapshotTimeoutMs: 60_000,
      silenceTimeoutMs: 1_500,
      pauses: { first: 1, cap: 20 },
      clock: systemClock,
      random: () => 0.5,
      secrets: new Secrets(),
      log: this.log.log,
      ...change.parts,
    };
    return makeBackup(parts, {
      request: parseBackupRequest({
        id: change.id ?? randomUUID(),
        datastore: 'k2hdkc',
        datastore_version: '1.0.16',
        parent: null,
        swift_container: null,
        swift_url: this.#door.url(),
      }),
      caller: {
        token: change.token ?? this.#account.token,
        projectId: 'test',
        serviceCatalog: [],
      },
      dataFile: path.join(this.data, 'k2hdkc.k2h'),
      dataFolders: [this.data],
      places: this.places,
      signal: change.signal ?? new AbortController().signal,
    });
  }

  /** Everything that is left on the data volume. */
  async onDisk(): Promise<string[]> {
    return readdir(this.data);
  }

  /** Everything that is in Swift, in the container of backups. */
  inSwift(): Promise<string[]> {
    return this.#account.names(PLAIN_STORAGE.container);
  }
}

class PlacesInMemory implements BackupPlaces {
  places: BackupPlace[] = [];

  known(): readonly BackupPlace[] {
    return this.places;
  }

  begun(place: BackupPlace): Promise<void> {
    this.places = [...this.places, place];
    return Promise.resolve();
  }

  removed({ backupId }: BackupPlace): Promise<void> {
    this.places = this.places.filter((place) => place.backupId !== backupId);
    return Promise.resolve();
  }
}
