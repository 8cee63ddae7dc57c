import { MERGE_PHASE, STALL, type RingNode } from './ring-node.ts';
import { completed, isOperating, serviceIn, serviceOut } from './status.ts';

/** Answer of a command: its text, and how long chmpx takes to give it. */
export interface Answer {
  text: string;
  delay?: number;
}

export const success = 'SUCCEED';
export const noServer = 'SUCCEED: There no server on RING.';
const notAllowed = 'ERROR: Could not change status, because status is not allowed.';
export const operating = 'ERROR: Could not change status, because server is operating now.';
const someServers =
  'ERROR: Could not change status, because some servers could not be changed its status now.';

/** SERVICEIN. */
export function enter(node: RingNode): Answer {
  const { others, status, automatic } = node;
  const busy = others.operating || status.operation === 'Doing';
  if (busy || (isOperating(status) && !others.alone)) return { text: operating };
  const next = serviceIn(status);
  if (next === undefined) return { text: notAllowed };
  node.change(next);
  if (automatic) node.merge(MERGE_PHASE);
  if (!others.alone) return { text: success };
  return { text: automatic ? noServer : 'SUCCEED: Send status notice to no server on RING.' };
}

/** SERVICEOUT of this node. Of the only server the answer is an error, and yet it changes. */
export function leave(node: RingNode): Answer {
  const { others, status } = node;
  if (!others.alone && (others.operating || isOperating(status))) return { text: operating };
  const next = serviceOut(status);
  if (next === undefined) return { text: notAllowed };
  node.change(next);
  if (others.alone) return { text: 'ERROR: Failed to send status notice to other servers.' };
  if (node.automatic && next.action === 'DELETE') node.merge(0);
  return { text: success };
}

/** MERGE. */
export function merge(node: RingNode): Answer {
  const { others, status } = node;
  if (others.alone) {
    if (status.operation === 'Pending') node.merge(MERGE_PHASE);
    return { text: noServer };
  }
  if (others.operating || isOperating(status)) return { text: someServers };
  node.orderAll({ name: 'merge' });
  return { text: success };
}

/** COMPMERGE. */
export function completeMerge(node: RingNode): Answer {
  const { others, status } = node;
  if (others.alone) {
    if (status.operation === 'Pending' || status.operation === 'Doing') {
      return { text: 'ERROR: Failed to complete merging.', delay: STALL };
    }
    node.change(completed(status));
    return { text: noServer };
  }
  if (others.doing || status.operation === 'Doing') return { text: someServers };
  node.orderAll({ name: 'complete' });
  return { text: success };
}

/** ABORTMERGE. */
export function abortMerge(node: RingNode): Answer {
  node.orderAll({ name: 'abort' });
  return { text: node.others.alone ? noServer : success };
}

/** SUSPENDMERGE and NOSUSPENDMERGE. */
export function suspendMerge(node: RingNode, suspend: boolean): Answer {
  node.orderAll({ name: suspend ? 'suspend' : 'resume' });
  return { text: success };
}
