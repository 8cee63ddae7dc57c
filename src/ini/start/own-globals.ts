import type { Scalar } from '../model/keys.ts';
import { effective, type ClusterModel } from '../model/model.ts';

/**
 * Chosen. chmpx takes 128 at most; with 64 both ways five servers on one machine, as in the lab, stay
 * below the 819,200 bytes of queues that a user may have.
 */
const LONG = 64;
/** How long the queues between k2hdkc and chmpx are, one way and the other. */
const QUEUE_KEYS = ['MAXQPERSERVERMQ', 'MAXQPERCLIENTMQ'];

/**
 * Whether a server's value, by the key as `StartKeys` names it, is what the agent chooses: no reason to
 * start programs again that run. A role that says the same says nothing else.
 */
export function isOwnChoice(key: string, value: string | undefined): boolean {
  return QUEUE_KEYS.some((own) => key === `[GLOBAL] ${own}`) && value === String(LONG);
}

/** The role for merges that the agents lead: AUTOMERGE=off; without DOMERGE nothing would be merged. */
export function ledByAgents(model: ClusterModel): ClusterModel {
  return withGlobals(model, [
    ['AUTOMERGE', false],
    ['DOMERGE', true],
  ]);
}

/**
 * The role of a server with queues between k2hdkc and chmpx that are long, where the kernel takes them.
 * chmpx can lose the news of a message (docs/slave.md), and has it with the next one; in a queue that is
 * full there is no next one, and the merge hangs: with the role's 8, 10,000 keys and REPLICA 1, in 2 of 2
 * first shrinks. Not for a slave: its clients are many, and each pays for its own.
 *
 * @param queueMessages fs.mqueue.msg_max of this machine; 0 when it is not known.
 * @param fixed keys that the operator has set.
 */
export function withLongQueues(
  model: ClusterModel,
  queueMessages: number,
  fixed: ReadonlyMap<string, Scalar>,
): ClusterModel {
  if (queueMessages < LONG) return model;
  const given = (key: string): number => Number(effective('GLOBAL', model.global.settings, key));
  const keys = QUEUE_KEYS.filter((key) => !fixed.has(key) && given(key) < LONG);
  return withGlobals(
    model,
    keys.map((key) => [key, LONG]),
  );
}

function withGlobals(model: ClusterModel, pairs: [string, Scalar][]): ClusterModel {
  const settings = new Map([...model.global.settings, ...pairs]);
  return { ...model, global: { ...model.global, settings } };
}
