import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { removeQueues } from '../conformance/message-queues.ts';
import { resolveSubject, type Program } from '../conformance/subject.ts';

/** Which chmpx, k2hdkc and tools a story runs. */
export interface Programs {
  kind: 'real programs' | 'stand-ins';
  /** The file of a program. */
  readonly program: (name: Program) => string;
  /** What they need in their environment. */
  environment: Record<string, string>;
  /** Where chmpx has its shared memory. */
  sharedDirectory: string;
  /** Removes what killed programs of a cluster left outside the story's folder. */
  cleanUp(cluster: string): Promise<void>;
}

/** The stand-ins, with their "shared memory" below `directory`. */
export async function standIns(directory: string): Promise<Programs> {
  const shared = path.join(directory, 'antpickax');
  await mkdir(shared, { recursive: true });
  const { program, name } = resolveSubject({});
  return {
    kind: name,
    program,
    environment: { ANTPICKAX_STANDIN_DIR: shared },
    sharedDirectory: shared,
    cleanUp: () => Promise.resolve(),
  };
}

/** The real programs. Throws with what is missing when they are not all on PATH. */
export async function realPrograms(): Promise<Programs> {
  const { program, name } = resolveSubject({ ...process.env, K2HDKC_TEST_SUBJECT: 'real' });
  const shared = '/var/lib/antpickax';
  await mkdir(shared, { recursive: true });
  return {
    kind: name,
    program,
    environment: {},
    sharedDirectory: shared,
    async cleanUp(cluster) {
      const own = (await readdir(shared)).filter((file) => file.startsWith(`${cluster}-`));
      for (const file of own) await rm(path.join(shared, file));
      await removeQueues(cluster);
    },
  };
}
