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

/** Makes and locks the state directory, and reads what this node should be. */
export async function openAgentState(directory: string): Promise<AgentState> {
  await makePrivateDirectory(directory);
  const unlock = await lockDirectory(directory);
  const desired = await DesiredStateStore.open(directory);
  return { directory, bootId: readBootId(), desired, unlock };
}
