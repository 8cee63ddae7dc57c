import { accessSync, constants } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { projectRoot } from '../helpers/project-root.ts';

/** Which chmpx, k2hdkc and tools a story runs. */
export interface Programs {
  kind: 'real' | 'stand-in';
  /** The folder that they are in. */
  directory: string;
  /** What they need in their environment. */
  environment: Record<string, string>;
  /** Removes what they leave outside the story's folder. */
  cleanUp: () => Promise<void>;
}

const NAMES = ['chmpx', 'k2hdkc', 'chmpxstatus', 'chmpxlinetool', 'k2hlinetool'];

/** The stand-ins, with their "shared memory" below `directory`. */
export async function standIns(directory: string): Promise<Programs> {
  const shared = path.join(directory, 'antpickax');
  await mkdir(shared, { recursive: true });
  return {
    kind: 'stand-in',
    directory: path.join(projectRoot, 'dist/test/antpickax'),
    environment: { ANTPICKAX_STANDIN_DIR: shared },
    cleanUp: () => Promise.resolve(),
  };
}

/** The real programs, when all of them are on PATH. */
export async function realPrograms(): Promise<Programs | undefined> {
  const folders = (process.env['PATH'] ?? '').split(':');
  const directory = folders.find((folder) =>
    NAMES.every((name) => isExecutable(path.join(folder, name))),
  );
  if (directory === undefined) return undefined;
  const shared = '/var/lib/antpickax';
  await mkdir(shared, { recursive: true });
  const before = new Set(await readdir(shared));
  return {
    kind: 'real',
    directory,
    environment: {},
    async cleanUp() {
      const made = (await readdir(shared)).filter((name) => !before.has(name));
      for (const name of made) await rm(path.join(shared, name), { recursive: true });
    },
  };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
