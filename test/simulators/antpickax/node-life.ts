import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Counts a start of the chmpx of this node; 1 is the first. The count is in a hidden file. */
export function countLife(stem: string): number {
  const file = path.join(path.dirname(stem), `.standin-${path.basename(stem)}`);
  let before = 0;
  try {
    before = Number(readFileSync(file, 'utf8'));
  } catch {
    // the first start
  }
  writeFileSync(file, String(before + 1));
  return before + 1;
}
