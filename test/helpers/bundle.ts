import path from 'node:path';
import { build } from 'esbuild';
import { projectRoot } from './project-root.ts';

/**
 * Makes a TypeScript file of the tests (`*.child.ts`) into a program for a process of its own.
 *
 * @returns the file that `node` runs.
 */
export async function bundle(entry: string, directory: string): Promise<string> {
  const outfile = path.join(directory, `${path.basename(entry, '.ts')}.mjs`);
  await build({
    absWorkingDir: projectRoot,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  return outfile;
}
