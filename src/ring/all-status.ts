import { AgentError } from '../base/errors.ts';
import { parseNodeStatus, type RingNode } from './status.ts';

/**
 * Reads what a control port answers to ALLSTATUS: the servers of the ring as that chmpx sees them,
 * without slaves (docs/contracts/chmpx.md, 3.2). Throws when it is not such a text.
 */
export function parseAllStatus(text: string): RingNode[] {
  const [head = '', ...blocks] = text.split(/^No\.\d+$/m);
  if (!/^RING Name +=/m.test(head)) throw unreadable('no RING Name');
  return blocks.map((block) => {
    const field = (name: string): string => {
      const found = new RegExp(`^ *${name} *= ?(.*)$`, 'm').exec(block)?.[1];
      if (found === undefined) throw unreadable(`a server without ${name}`);
      return found.trim();
    };
    const words = /^0x[0-9a-f]+\((.*)\)$/.exec(field('Server Status'))?.[1];
    return {
      name: field('Server Name'),
      cuk: field('CUK'),
      seed: field('Custom ID Seed'),
      controlPort: Number(field('Control Port')),
      ...parseNodeStatus(words ?? field('Server Status')),
    };
  });
}

function unreadable(what: string): AgentError {
  return new AgentError(`ALLSTATUS: the answer has ${what}`, { retryable: true });
}
