import { stat } from 'node:fs/promises';
import type { StatusDocument } from '../node/status-document.ts';
import { statusFile } from '../node/status-file.ts';
import { codeOf, messageOf } from '../base/errors.ts';
import { visible } from '../base/text.ts';
import { loadAgentConfig } from '../config/load.ts';
import { isLocked } from '../host/instance-lock.ts';
import { readPlainFile } from '../host/plain-file.ts';
import type { StatusOptions } from './command-line.ts';
import { EXIT } from './exit-codes.ts';
import { readStatusDocument } from './status-schema.ts';
import { statusText } from './status-text.ts';

/** The agent gives the file a new time every 20 s or so (ms). */
const OLD_MS = 90_000;

/**
 * Prints how the node of this VM is; the exit code says whether that concerns anybody. Nothing is
 * asked of the agent: it may hang.
 */
export async function showStatus({
  configFile,
  configFileNamed,
  json,
}: StatusOptions): Promise<number> {
  const { paths } = await loadAgentConfig(configFile, { mustExist: configFileNamed });
  const file = statusFile(paths.state_dir);
  const runs = await orNull(isLocked(paths.state_dir));
  const text = await orNull(readPlainFile(file));
  const writtenAt = (await orNull(stat(file)))?.mtimeMs ?? 0;
  const now = Date.now();
  const isOld = runs === true && Math.abs(now - writtenAt) > OLD_MS;
  const { document, whole, problem } = text === null ? NOTHING : read(text);
  if (json) process.stdout.write(`${JSON.stringify(whole, null, 2)}\n`);
  const known = document !== null;
  if (problem !== null) process.stderr.write(`${file}: ${problem}; the agent writes it again\n`);
  const warning = warningOf({ runs: runs === true, isOld, known, writtenAt });
  if (warning !== null) (json ? process.stderr : process.stdout).write(`${warning}\n`);
  if (!json && document) process.stdout.write(statusText(document, now));
  if (runs !== true) return EXIT.notRunning;
  if (isOld || document === null) return EXIT.stale;
  const isBad = document.concerns.length > 0 || document.node.state === 'failed';
  return isBad ? EXIT.concern : EXIT.ok;
}

interface Reading {
  document: StatusDocument | null;
  whole: unknown;
  /** Why a text is none. */
  problem: string | null;
}

const NOTHING: Reading = { document: null, whole: null, problem: null };

function read(text: string): Reading {
  try {
    return { ...readStatusDocument(text), problem: null };
  } catch (error) {
    return { ...NOTHING, problem: visible(messageOf(error)) };
  }
}

interface Doubt {
  runs: boolean;
  isOld: boolean;
  known: boolean;
  writtenAt: number;
}

function warningOf({ runs, isOld, known, writtenAt }: Doubt): string | null {
  const last = known ? `; below is what was so at ${new Date(writtenAt).toISOString()}` : '';
  if (!runs) {
    return `NO AGENT RUNS on this VM: systemctl status k2hdkc-guest-agent${last}`;
  }
  if (!known) return 'the agent runs but has not said how the node is: look at its log';
  if (!isOld) return null;
  return `OLD: the agent runs but has said nothing for long; does it hang, is its disk full?${last}`;
}

/** What is not there is null; anything else that keeps it from being read is for the caller. */
async function orNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}
