import { existsSync } from 'node:fs';
import path from 'node:path';

/** The project's folder, from wherever this file was bundled to. */
export const projectRoot = findRoot(import.meta.dirname);

function findRoot(directory: string): string {
  if (existsSync(path.join(directory, 'package.json'))) return directory;
  return findRoot(path.dirname(directory));
}
