import { fstatSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import path from 'node:path';
import type { AgentConfig } from '../../config/schema.ts';
import { FileSource } from '../../guest/logs/file-source.ts';
import type { GuestLog } from '../../guest/logs/guest-log.ts';
import { JournalSource } from '../../guest/logs/journal-source.ts';
import type { LogSource } from '../../guest/logs/log-source.ts';
import { unitOf } from '../../process/systemd-starter.ts';
import { chosenForm, programsDirectory } from '../node/program-launcher.ts';

/** The unit of the agent, by the name that its packages give it. */
const OWN_UNIT = 'k2hdkc-guest-agent.service';
const STDOUT = 1;

/**
 * Where the logs of this VM are: those of chmpx and k2hdkc in the journal when systemd starts them, else in the
 * files that the launcher keeps; that of the agent where its standard output goes.
 */
export async function guestLogs(
  configured: AgentConfig['programs']['launcher'],
  stateDirectory: string,
): Promise<GuestLog[]> {
  const form = chosenForm(configured);
  const directory = programsDirectory(stateDirectory);
  const program = (name: 'chmpx' | 'k2hdkc'): GuestLog => ({
    name,
    type: 'USER',
    source:
      form === 'systemd'
        ? new JournalSource(unitOf(name))
        : new FileSource(path.join(directory, `${name}.out`)),
  });
  const own = await ownSource(process.env['JOURNAL_STREAM'], STDOUT);
  return [{ name: 'agent', type: 'SYS', source: own }, program('chmpx'), program('k2hdkc')];
}

/**
 * Where an open file leads: the journal, when systemd says so (systemd.exec(5), JOURNAL_STREAM), or a file.
 * Null for a terminal or a pipe: nothing can be read from them again.
 */
export async function ownSource(
  journalStream: string | undefined,
  descriptor: number,
): Promise<LogSource | null> {
  const found = fstatSync(descriptor);
  if (journalStream === `${found.dev}:${found.ino}`) return new JournalSource(OWN_UNIT);
  if (!found.isFile()) return null;
  return new FileSource(await readlink(`/proc/self/fd/${descriptor}`));
}
