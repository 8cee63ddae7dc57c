import { chmod, stat } from 'node:fs/promises';
import { codeOf, ConfigurationError } from '../base/errors.ts';
import { makePrivateDirectory } from '../host/atomic-file.ts';
import { readBootId } from '../host/boot-id.ts';
import { lockDirectory } from '../host/instance-lock.ts';
import { DesiredStateStore } from '../node/desired-state.ts';

/** The state directory of an agent, which holds it alone. */
export interface AgentState {
  directory: string;
  bootId: string;
  desired: DesiredStateStore;
  /** Gives the directory to the next agent. */
  unlock: () => Promise<void>;
}

/**
 * What is in the directory is done by root. One that is not ours, or that others could write to, may
 * hold what they have put there.
 *
 * @throws ConfigurationError in one line.
 */
async function keepToOurselves(directory: string): Promise<void> {
  const { uid, mode } = await stat(directory);
  const ours = process.getuid?.() ?? uid;
  if (uid !== ours) {
    throw new ConfigurationError(`${directory} belongs to user ${uid}, and this agent is ${ours}`);
  }
  if ((mode & 0o022) !== 0) {
    throw new ConfigurationError(
      `${directory} can be written to by others: look at what is in it, then chmod 700`,
    );
  }
  if ((mode & 0o077) === 0) return;
  await chmod(directory, 0o700).catch((error: unknown) => {
    if (codeOf(error) !== 'EROFS') throw error; // where nobody can change it, the node comes first
  });
}

/** Makes and locks the state directory, and reads what this node should be. */
export async function openAgentState(directory: string): Promise<AgentState> {
  await makePrivateDirectory(directory);
  await keepToOurselves(directory);
  const unlock = await lockDirectory(directory);
  const desired = await DesiredStateStore.open(directory);
  return { directory, bootId: readBootId(), desired, unlock };
}
