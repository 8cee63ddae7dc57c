import path from 'node:path';
import * as v from 'valibot';
import { codeOf } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { writeFileAtomic } from '../../host/atomic-file.ts';
import { readPlainFile } from '../../host/plain-file.ts';
import { publishedSchema, type Published } from './published.ts';

/** Administrators of other projects publish, too, each into their own account; the newest are remembered. */
const MOST_PROJECTS = 8;
/** Three logs, eight projects and the longest names would be half of it. */
const MOST_BYTES = 256 * 1024;

const schema = v.object({
  logs: v.pipe(
    v.array(
      v.object({
        name: v.string(),
        enabled: v.boolean(),
        /** The newest last. */
        projects: v.pipe(v.array(publishedSchema), v.maxLength(MOST_PROJECTS)),
      }),
    ),
    v.maxLength(16),
  ),
});

type LogRecord = v.InferOutput<typeof schema>['logs'][number];

/**
 * How far each log is published, in `guest-logs.json` of the state directory. Every change is on disk before
 * its promise resolves.
 */
export class LogRecords {
  readonly #file: string;
  #logs: readonly LogRecord[];
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(file: string, logs: readonly LogRecord[]) {
    this.#file = file;
    this.#logs = logs;
  }

  /** A file that cannot be read is begun again: the metafiles in Swift say how far the logs are. */
  static async open(stateDirectory: string, log: Logger): Promise<LogRecords> {
    const file = path.join(stateDirectory, 'guest-logs.json');
    try {
      return new LogRecords(
        file,
        v.parse(schema, JSON.parse(await readPlainFile(file, MOST_BYTES))).logs,
      );
    } catch (err) {
      if (codeOf(err) !== 'ENOENT') log.warn({ err, file }, 'the records of guest logs are lost');
      return new LogRecords(file, []);
    }
  }

  isEnabled(name: string): boolean {
    return this.#of(name).enabled;
  }

  async enable(name: string, enabled: boolean): Promise<void> {
    if (this.isEnabled(name) === enabled) return;
    await this.#change(name, (log) => ({ ...log, enabled }));
  }

  /** Undefined when this agent has never looked into the account of the project. */
  published(name: string, projectId: string): Published | undefined {
    return this.#of(name).projects.find((one) => one.projectId === projectId);
  }

  async set(name: string, published: Published): Promise<void> {
    await this.#change(name, (log) => {
      const others = log.projects.filter((one) => one.projectId !== published.projectId);
      return { ...log, projects: [...others, published].slice(-MOST_PROJECTS) };
    });
  }

  #of(name: string): LogRecord {
    const found = this.#logs.find((log) => log.name === name);
    return found ?? { name, enabled: true, projects: [] };
  }

  /** What the disk does not take has not happened. */
  #change(name: string, how: (log: LogRecord) => LogRecord): Promise<void> {
    const changed = this.#writing.then(async () => {
      const others = this.#logs.filter((log) => log.name !== name);
      const logs = [...others, how(this.#of(name))];
      await writeFileAtomic(this.#file, JSON.stringify({ logs }));
      this.#logs = logs;
    });
    this.#writing = changed.catch(() => undefined);
    return changed;
  }
}
