import type { RingNode } from './status.ts';

/** All rows in short, to see whether anything moves and to log. */
export function ringWords({ servers }: { servers: readonly RingNode[] }): string {
  return servers.map((node) => `${shortName(node)} ${shortWords(node)}`).join(', ');
}

function shortName({ name }: RingNode): string {
  return name.split('.')[0] ?? name;
}

function shortWords(node: RingNode): string {
  const { ring, live, operation, merge, suspended } = node;
  const parts = [
    ring === 'SERVICE IN' ? 'in' : 'out',
    live === 'DOWN' ? 'down' : '',
    operation === 'n/a' ? '' : operation.toLowerCase(),
    merge === 'Nothing' ? '' : merge.toLowerCase(),
    suspended ? 'suspended' : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}
