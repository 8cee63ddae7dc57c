import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, ConfigurationError, messageOf } from '../base/errors.ts';
import { parseConfig } from './config-parser.ts';
import { OsloConfig } from './oslo-config.ts';

/** A configuration file, or a directory of which every `*.conf` is read, sorted by name. */
type ConfigSource = { file: string } | { directory: string };

/**
 * Reads oslo.config files in the order given, the way `--config-file` and `--config-dir` do.
 * Throws ConfigurationError for what is missing, cannot be read, or cannot be parsed.
 */
export async function readConfigFiles(
  sources: readonly ConfigSource[],
  env: NodeJS.ProcessEnv = {},
): Promise<OsloConfig> {
  const assignments = [];
  for (const source of sources) {
    const files = 'file' in source ? [source.file] : await confFilesOf(source.directory);
    for (const file of files) {
      const bytes = await readFile(file).catch((error: unknown) => {
        throw unreadable('configuration file', file, error);
      });
      const text = utf8(bytes, file);
      assignments.push(...parseConfig(text, file));
    }
  }
  return new OsloConfig(assignments, env);
}

async function confFilesOf(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    throw unreadable('configuration directory', directory, error);
  });
  return names
    .filter((name) => name.endsWith('.conf') && !name.startsWith('.'))
    .sort()
    .map((name) => path.join(directory, name));
}

/** Text with another encoding has no meaning for oslo.config either; a BOM stays, as in Python. */
function utf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigurationError(`configuration file ${file}: is not UTF-8`, { cause });
  }
}

function unreadable(kind: string, where: string, cause: unknown): ConfigurationError {
  const reason = codeOf(cause) === 'ENOENT' ? 'does not exist' : messageOf(cause);
  return new ConfigurationError(`${kind} ${where}: ${reason}`, { cause });
}
