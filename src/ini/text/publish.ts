import { AgentError, codeOf, messageOf } from '../../base/errors.ts';
import { writeFileAtomic } from '../../host/atomic-file.ts';
import { readPlainFile } from '../../host/plain-file.ts';

/**
 * Readable by everybody: it holds no secret (PASSPHRASES is never let in), chmpx and k2hdkc may run
 * under a user of their own, and whoever calls chmpxstatus on the VM needs it too.
 */
const MODE = 0o644;

/**
 * Puts the ini in place if it differs from what is there, and returns whether it did. chmpx reloads
 * at once, so it is replaced whole by a rename within the directory: a file written in place can
 * kill chmpx, and one that is away for half a second is never watched again
 * (docs/contracts/ini.md, 1.2). Throws when the name does not end in `.ini`, by which chmpx knows
 * the format, or when the file cannot be written; what was there before is then untouched.
 */
export async function publishIni(file: string, text: string): Promise<boolean> {
  if (!file.endsWith('.ini')) {
    throw new AgentError(`${file} cannot be chmpx's file: its name must end in .ini`);
  }
  try {
    if ((await contentOf(file)) === text) return false;
    await writeFileAtomic(file, text, { mode: MODE });
    return true;
  } catch (error) {
    throw new AgentError(`${file} cannot be replaced, check its directory: ${messageOf(error)}`, {
      cause: error,
      retryable: true,
    });
  }
}

async function contentOf(file: string): Promise<string | undefined> {
  try {
    return await readPlainFile(file);
  } catch (error) {
    // Something else in its place, a pipe say, is replaced.
    if (codeOf(error) === 'ENOENT' || error instanceof AgentError) return undefined;
    throw error;
  }
}
