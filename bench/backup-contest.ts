import { execFileSync } from 'node:child_process';
import { chmod, copyFile, link, mkdir, open, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { projectRoot } from '../test/helpers/project-root.ts';
import { identify } from '../test/peers/processes.ts';
import type { SwiftAccount } from '../test/peers/swift/account.ts';
import type { SwiftPeer } from '../test/peers/swift/swift-peer.ts';
import { measure, type Usage } from './backup-measure.ts';

/** What is backed up. */
export interface Archive {
  file: string;
  bytes: number;
  keys: number;
}

/** What is measured. */
export const RUNS = [
  ...(['upstream backup', 'upstream restore', 'agent backup', 'agent restore'] as const),
  ...(['plain PUT', 'plain GET', 'gzip -1'] as const),
] as const;
export type Run = (typeof RUNS)[number];

/** What a run needed; the last two are known of the agent only, the stored MiB of backups only. */
export interface Figures extends Omit<Usage, 'output'> {
  stored?: number;
  /** MiB by which the process has grown at most. */
  growth?: number;
  /** The 99th percentile of the delay of its event loop, ms. */
  lag?: number;
  /** The same of the CPU time of its thread between two looks at the event loop, ms. */
  turn?: number;
}

/** What contestants work with. */
export interface ContestParts {
  swift: SwiftPeer;
  account: SwiftAccount;
  /** The program made of backup-subject.ts. */
  subject: string;
  /** Of gzip, for the agent. */
  level: number;
  /** Gets everything of this contest. */
  directory: string;
}

const PIPELINE = path.join(projectRoot, 'bench/upstream_pipeline.py');
const CONTAINER = 'database_backups';
const Told = v.object({
  checksum: v.string(),
  growth: v.number(),
  lag: v.number(),
  turn: v.number(),
});

/** The archive that the tool makes of the data: a file of its own, as the real one's is. */
const READY = 'ready.k2har';

/** Backups and restores of one archive by this agent and by upstream's pipeline. */
export class Contest {
  readonly #parts: ContestParts;
  readonly #archive: Archive;

  private constructor(parts: ContestParts, archive: Archive) {
    this.#parts = parts;
    this.#archive = archive;
  }

  static async open(parts: ContestParts, archive: Archive): Promise<Contest> {
    const contest = new Contest(parts, archive);
    for (const folder of ['upstream/trovebackup', 'spool', 'agent', 'restored']) {
      await mkdir(contest.#inside(folder), { recursive: true });
    }
    await link(archive.file, contest.#inside('upstream/trovebackup/trovebackup.k2har'));
    await link(archive.file, contest.#inside('agent/data.k2h'));
    await writeFile(contest.#inside('k2hlinetool'), contest.#tool());
    await chmod(contest.#inside('k2hlinetool'), 0o700);
    return contest;
  }

  /** Upstream's pipeline: backup and restore. */
  async upstream(): Promise<[backup: Figures, restore: Figures]> {
    const object = 'upstream.gz';
    const folder = this.#inside('upstream/trovebackup');
    const backup = await this.#pipeline(object, 'spool', ['backup', folder, this.#inside('spool')]);
    const stored = await this.#stored(object);
    await rm(folder, { recursive: true });
    const restore = await this.#pipeline(object, 'upstream', ['restore']);
    const restored = path.join(folder, 'trovebackup.k2har');
    this.#mustBeWhole(restored);
    await rm(restored);
    await link(this.#archive.file, restored);
    await this.#parts.account.delete(CONTAINER, object);
    return [{ ...backup, stored }, restore];
  }

  /** This agent: backup and restore. */
  async agent(): Promise<[backup: Figures, restore: Figures]> {
    await this.#makeReady();
    const backup = await this.#subject('backup', { folder: 'agent', file: 'data.k2h' });
    const stored = await this.#stored('agent.gz');
    const to = { folder: 'restored', file: 'new-data.k2h', checksum: backup.checksum };
    const restore = await this.#subject('restore', to);
    const restored = this.#inside('restored.k2har');
    this.#mustBeWhole(restored);
    await rm(restored);
    await this.#parts.account.delete(CONTAINER, 'agent.gz', { segments: true });
    return [{ ...backup.figures, stored }, restore.figures];
  }

  /** What the machine can do: a plain PUT, a plain GET, gzip alone. */
  async limits(): Promise<[put: Figures, get: Figures, gzip: Figures]> {
    const { file } = this.#archive;
    const put = await this.#pipeline('plain', 'spool', ['put', file]);
    const get = await this.#pipeline('plain', 'spool', ['get']);
    await this.#parts.account.delete(CONTAINER, 'plain');
    const gzip = ['-c', 'gzip -1 <"$1" >/dev/null', 'sh', file];
    return [put, get, await this.#measure('/bin/sh', gzip, { folder: 'spool' })];
  }

  /** On the disk before anything is measured. */
  async #makeReady(): Promise<void> {
    await copyFile(this.#archive.file, this.#inside(READY));
    const handle = await open(this.#inside(READY), 'r+');
    await handle.sync().finally(() => handle.close());
  }

  async #subject(
    what: 'backup' | 'restore',
    { folder, file, checksum = '' }: { folder: string; file: string; checksum?: string },
  ): Promise<{ figures: Figures; checksum: string }> {
    const { subject, level, account } = this.#parts;
    const order = {
      what,
      level,
      checksum,
      id: 'agent',
      container: CONTAINER,
      swiftUrl: account.url,
      token: account.token,
      dataFile: path.join(this.#inside(folder), file),
      k2hlinetool: this.#inside('k2hlinetool'),
    };
    const environment = { ORDER: JSON.stringify(order) };
    const usage = await this.#measure(process.execPath, [subject], { folder, environment });
    const { checksum: made, ...told } = v.parse(Told, JSON.parse(usage.output));
    return { figures: { ...usage, ...told }, checksum: made };
  }

  #pipeline(object: string, folder: string, args: readonly string[]): Promise<Usage> {
    const { url, token } = this.#parts.account;
    const environment = {
      SWIFT_URL: url,
      SWIFT_TOKEN: token,
      CONTAINER,
      OBJECT: object,
      PYTHONDONTWRITEBYTECODE: '1',
    };
    return this.#measure('/usr/bin/python3', [PIPELINE, ...args], { folder, environment });
  }

  #measure(
    command: string,
    args: readonly string[],
    { folder, environment = {} }: { folder: string; environment?: Record<string, string> },
  ): Promise<Usage> {
    execFileSync('/bin/sync'); // what the one before has left to be written
    const directory = this.#inside(folder);
    const swift = identify(this.#parts.swift.pid);
    if (swift === undefined) throw new Error('Swift is gone');
    const isTemporary = (name: string): boolean => !/\.(?:k2har|k2h|log)$/.test(name);
    const own = { TMPDIR: directory, ...environment };
    return measure({ command, args, environment: own, directory, isTemporary }, swift);
  }

  async #stored(object: string): Promise<number> {
    const { headers } = await this.#parts.account.head(CONTAINER, object);
    return Number(headers.get('content-length')) / 1024 ** 2;
  }

  #mustBeWhole(file: string): void {
    execFileSync('/usr/bin/cmp', ['--silent', file, this.#archive.file]);
  }

  /**
   * In the place of k2hlinetool, for both sides need it alike: the archive is there already, and is
   * only kept after the restore.
   */
  #tool(): string {
    return `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in -f) file=$2 ;; -run) script=$2 ;; esac
  shift
done
while read -r verb what name; do
  case "$verb $what" in
    'ar put') mv '${this.#inside(READY)}' "$name" ;;
    'ar load') ln "$name" '${this.#inside('restored.k2har')}' ;;
    'info state') echo '    Assigned Element    = ${this.#archive.keys} keys' ;;
  esac
done <"$script"
[ -e "$file" ] || : >"$file"
`;
  }

  #inside(name: string): string {
    return path.join(this.#parts.directory, name);
  }
}
