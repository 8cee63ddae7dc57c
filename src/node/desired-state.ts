import path from 'node:path';
import * as v from 'valibot';
import { AgentError, codeOf } from '../base/errors.ts';
import { removeUnfinishedWrites, writeFileAtomic } from '../host/atomic-file.ts';
import type { Volume } from '../host/mount-volume.ts';
import { readPlainFile } from '../host/plain-file.ts';
import type { Registration } from '../role/registration.ts';
import type { ClusterParameters } from '../trove/overrides.ts';
import { desiredSchema } from './desired-schema.ts';

/**
 * How far Trove's `prepare` came on this VM:
 *
 *   new → preparing → (ready, of a cluster member) → prepared
 *             └→ failed → preparing …
 *
 * `ready` lasts until the notification of its end is safe; Trove sees it as `instance ready`.
 */
export type Phase = 'new' | 'preparing' | 'ready' | 'prepared' | 'failed';

/**
 * What this VM should be. Trove's calls change this document, the reconciler makes it true. It is
 * on disk before anything is done about it, so that any crash can be continued from.
 */
export interface DesiredState {
  version: 1;
  /** A member of the ring, or a client node without k2hdkc. */
  mode: 'server' | 'slave';
  phase: Phase;
  /** When the prepare or rebuild under way began (wall clock, ms): its time limit counts from there. */
  preparingSince?: number;
  /** Why prepare failed, in one line. */
  failure: string | null;
  /** Created with a cluster_config, so that Trove ends the installation by cluster_complete. */
  clustered: boolean;
  /** cluster_complete has not come yet. */
  installing: boolean;
  /** The id of that cluster_complete, so that it is never taken for a second one. */
  installedBy: string | null;
  /** The attached configuration group; null = detached, a member of no cluster. */
  parameters: ClusterParameters | null;
  /** The id of the backup whose data must be there before chmpx and k2hdkc start. */
  restoring: string | null;
  /** Stopped on purpose: until the boot changes, or over boots too when `bootId` is null. */
  stopped: { bootId: string | null } | null;
  /** Left the ring because Trove shrinks the cluster; joins again at this wall clock time (ms). */
  shrinking: { rejoinAt: number } | null;
  /** The volume with the data, which must be mounted before they start; null when there is none. */
  volume: Volume | null;
  /** Programs of another generation are stopped and started again: this is how `restart` works. */
  generation: string;
  /** What was registered in K2HR3, kept for the unregistration even if parameters change. */
  registration: Registration | null;
}

/** A VM that Trove has not spoken to yet. */
export const NEW_NODE: DesiredState = {
  version: 1,
  mode: 'server',
  phase: 'new',
  failure: null,
  clustered: false,
  installing: false,
  installedBy: null,
  parameters: null,
  restoring: null,
  stopped: null,
  shrinking: null,
  volume: null,
  generation: 'first',
  registration: null,
};

/** Without the value: it can be a token. */
function wrong(issue: v.BaseIssue<unknown>): AgentError {
  return new AgentError(
    `${v.getDotPath(issue) ?? 'the whole'} is not ${issue.expected ?? 'right'}`,
  );
}

/** The desired state on disk, and who wants to know when it changes. */
export class DesiredStateStore {
  readonly #file: string;
  readonly #listeners: (() => void)[] = [];
  #current: DesiredState;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string, current: DesiredState) {
    this.#file = file;
    this.#current = current;
  }

  /** Reads `desired.json` of the state directory; without one this is a new node. */
  static async open(stateDirectory: string): Promise<DesiredStateStore> {
    const file = path.join(stateDirectory, 'desired.json');
    try {
      await removeUnfinishedWrites(stateDirectory);
      const state: unknown = JSON.parse(await readPlainFile(file));
      const parsed = v.safeParse(desiredSchema, state);
      if (!parsed.success) throw wrong(parsed.issues[0]);
      return new DesiredStateStore(file, { ...NEW_NODE, ...(state as DesiredState) });
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return new DesiredStateStore(file, NEW_NODE);
      throw new AgentError(
        `cannot use ${file}: restore it or, if this VM may be set up anew, move it away`,
        { cause: error },
      );
    }
  }

  get current(): DesiredState {
    return this.#current;
  }

  /** Changes some fields; resolves when the change is on disk. Changes never overtake each other. */
  update(change: Partial<DesiredState>): Promise<void> {
    return this.#inTurn(async () => {
      const next = { ...this.#current, ...change };
      await this.#write(next);
      this.#become(next);
    });
  }

  /**
   * As `update`, for what is true at a start whatever the disk says, and is found again at the next: when
   * it cannot be written this agent goes by it all the same. Resolves with why it was not, never rejects.
   */
  assume(change: Partial<DesiredState>): Promise<unknown> {
    const turn = this.#inTurn(async () => {
      const next = { ...this.#current, ...change };
      await this.#write(next).finally(() => this.#become(next));
    });
    return turn.then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  /** Does a change after those before it. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.#writing.then(change);
    this.#writing = turn.catch(() => undefined);
    return turn;
  }

  async #write(state: DesiredState): Promise<void> {
    await writeFileAtomic(this.#file, `${JSON.stringify(state, null, 2)}\n`);
  }

  #become(state: DesiredState): void {
    this.#current = state;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls `listener` after every change. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }
}
