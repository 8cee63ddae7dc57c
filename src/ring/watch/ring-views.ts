import { serverKey } from '../ring.ts';
import { shown } from '../../ini/model/problems.ts';
import { statusWords, type RingNode } from '../status.ts';

/**
 * How another server's view of the ring differs from the own one, one text for each server of
 * which they disagree. One that is out and down on one side and unknown on the other has left, or
 * is about to come: no difference.
 */
export function viewDifferences(own: readonly RingNode[], other: readonly RingNode[]): string[] {
  const theirs = new Map(other.map((node) => [serverKey(node), node]));
  const ours = new Set(own.map(serverKey));
  const known = own.flatMap((node) => difference(node.name, node, theirs.get(serverKey(node))));
  const unknown = other
    .filter((node) => !ours.has(serverKey(node)))
    .flatMap((node) => difference(shown(node.name), undefined, node));
  return [...known, ...unknown];
}

function difference(name: string, own: RingNode | undefined, other?: RingNode): string[] {
  const [here, there] = [wordsOf(own), wordsOf(other)];
  if (here === there || (isAway(own) && isAway(other))) return [];
  return [`${name} is ${there} there and ${here} here`];
}

function wordsOf(node: RingNode | undefined): string {
  return node === undefined ? 'unknown' : statusWords(node);
}

function isAway(node: RingNode | undefined): boolean {
  return node === undefined || (node.ring === 'SERVICE OUT' && node.live === 'DOWN');
}
