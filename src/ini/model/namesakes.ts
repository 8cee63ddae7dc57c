import type { ClusterModel, SlaveNode } from './model.ts';

/** chmpx keeps no longer CUK than this. */
const LONGEST_CUK = 2047;

/**
 * The model with one [SLVNODE] for each NAME and CTLPORT. A slave that was made again under its old name
 * leaves two in the role, and of two chmpx takes the later one only, whichever that is
 * (docs/contracts/ring.md, 2.5). Nobody knows which of them is gone, so the entry stands for each: its
 * CUK is a choice of theirs, which chmpx reads as a regular expression.
 *
 * @param cuk of the node that reads the ini: it must find itself, so only its own entry stays.
 */
export function oneEntryPerSlave(model: ClusterModel, cuk: string): ClusterModel {
  const byName = new Map<string, SlaveNode>();
  for (const slave of model.slaves) {
    const key = `${slave.name} ${slave.controlPort}`;
    const known = byName.get(key);
    byName.set(key, known ? both(known, slave, cuk) : slave);
  }
  if (byName.size === model.slaves.length) return model;
  return { ...model, slaves: [...byName.values()] };
}

/** Equal roles must give equal texts, whatever order K2HR3 has. */
function both(a: SlaveNode, b: SlaveNode, self: string): SlaveNode {
  if (a.cuk === self || b.cuk === self) return a.cuk === self ? a : b;
  const cuks = [a, b].flatMap(({ cuk }) => cuk?.split('|') ?? []);
  const choice = [...new Set(cuks)].toSorted().join('|');
  const [first] = [a, b].toSorted((x, y) => ((x.cuk ?? '') < (y.cuk ?? '') ? -1 : 1));
  if (choice === '' || choice.length > LONGEST_CUK) return first ?? a;
  return { ...(first ?? a), cuk: choice };
}
