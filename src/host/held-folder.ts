import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { AgentError, codeOf } from '../base/errors.ts';
import { isWithin } from '../base/paths.ts';
import { makeSharedDirectory } from './shared-directory.ts';

/**
 * A folder held open. A user who may change the folders above it can give its name to another one: what is
 * done through `at` is done in this one all the same.
 */
export interface HeldFolder {
  handle: FileHandle;
  /** Whether it was not there before. */
  made: boolean;
  /** The path of a file in it, for this process only; without a name, its own. */
  at(name?: string): string;
  close(): Promise<void>;
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * Makes a folder if it is missing, with those above it, and holds it.
 *
 * @param within absolute paths; it must be one of them or below one, where its links really lead.
 * @throws AgentError when it is not, or when something else has the name.
 */
export async function holdFolder(folder: string, within: readonly string[]): Promise<HeldFolder> {
  const anchor = anchorOf(folder, within);
  if (anchor === undefined) throw outside(folder, folder, within);
  const made = await makeSharedDirectory(anchor);
  return follow(folder, within, made, enter);
}

/** As `holdFolder`, but makes nothing: null when the folder is not there. */
export async function holdFolderIfThere(
  folder: string,
  within: readonly string[],
): Promise<HeldFolder | null> {
  const enterThere = async (above: HeldFolder, name: string): Promise<HeldFolder> =>
    hold(await openFolderIn(above, name), false);
  try {
    return await follow(folder, within, false, enterThere);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error instanceof AgentError ? error : unusable(folder, error);
  }
}

/** Opens one folder after the other, so that no name is looked up twice. */
async function follow(
  folder: string,
  within: readonly string[],
  made: boolean,
  enterNext: (above: HeldFolder, name: string) => Promise<HeldFolder>,
): Promise<HeldFolder> {
  const real = await realPlace(folder);
  const base = await realBaseOf(real, within);
  if (base === undefined) throw outside(folder, real, within);
  let held = hold(await open(base, FOLDER), made);
  for (const name of path.relative(base, real).split('/').filter(Boolean)) {
    const above = held;
    held = await enterNext(above, name).finally(() => above.close());
  }
  return held;
}

/** Why a file is not below one of these folders where its links really lead; null when it is. */
export async function whyOutside(file: string, within: readonly string[]): Promise<string | null> {
  try {
    if (anchorOf(file, within) === undefined) return outside(file, file, within).message;
    const real = await realPlace(file);
    return (await realBaseOf(real, within)) === undefined
      ? outside(file, real, within).message
      : null;
  } catch (error) {
    if (error instanceof AgentError) return error.message;
    throw error;
  }
}

/** Holds a folder by a handle that was opened already. */
export function hold(handle: FileHandle, made: boolean): HeldFolder {
  const own = `/proc/self/fd/${handle.fd}`;
  return {
    handle,
    made,
    at: (name) => (name === undefined ? own : `${own}/${name}`),
    close: () => handle.close(),
  };
}

/** Opens a folder in a held one; a link is none. Rejects as `open` does. */
export function openFolderIn(parent: HeldFolder, name: string): Promise<FileHandle> {
  return open(parent.at(name), FOLDER | constants.O_NOFOLLOW);
}

async function enter(parent: HeldFolder, name: string): Promise<HeldFolder> {
  try {
    return hold(await openFolderIn(parent, name), false);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw unusable(name, error);
  }
  await mkdir(parent.at(name));
  const made = hold(await openFolderIn(parent, name), true);
  try {
    // Who may change the folder above can have put another one in its place, with what nobody else may read.
    if ((await readdir(made.at())).length > 0) {
      throw new AgentError(`${name} has been exchanged while it was made`, { retryable: true });
    }
    await made.handle.chmod(0o755); // everybody may enter; our umask is narrower
    return made;
  } catch (error) {
    await made.close();
    throw error;
  }
}

/**
 * The outermost of the folders that a path is below. The inner ones prove nothing: a user who may change the
 * outer one can make links of them.
 */
function anchorOf(file: string, within: readonly string[]): string | undefined {
  return within
    .filter((folder) => isWithin(file, folder))
    .toSorted((a, b) => a.length - b.length)[0];
}

async function realBaseOf(real: string, within: readonly string[]): Promise<string | undefined> {
  const anchors = within.filter((folder) => anchorOf(folder, within) === folder);
  const bases = await Promise.all(anchors.map((folder) => realPlace(folder).catch(() => null)));
  return bases.find((base) => base !== null && isWithin(real, base)) ?? undefined;
}

/** Where a file is or would be: links are followed in the part of the path that exists. */
async function realPlace(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || file === '/') throw unusable(file, error);
  }
  const isLink = await lstat(file).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  if (isLink)
    throw new AgentError(`${file} is a link that leads nowhere: remove it`, { retryable: true });
  return path.join(await realPlace(path.dirname(file)), path.basename(file));
}

function unusable(file: string, cause: unknown): AgentError {
  const why =
    codeOf(cause) === 'ENOTDIR' ? 'something above it is no folder' : String(codeOf(cause));
  return new AgentError(`${file} cannot be used: ${why}`, { cause, retryable: true });
}

function outside(file: string, real: string, within: readonly string[]): AgentError {
  const leads = file === real ? '' : ` (which is ${real})`;
  return new AgentError(
    `${file}${leads} is not in ${within.join(' or ')}: the agent leaves it alone; see paths.role_dirs of agent.yaml`,
    { retryable: true },
  );
}
