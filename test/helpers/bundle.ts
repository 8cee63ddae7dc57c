import path from 'node:path';
import { build } from 'esbuild';
import { projectRoot } from './project-root.ts';

const REQUIRE = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);`;

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
    // Some libraries call `require`, which a module does not have.
    banner: { js: REQUIRE },
    logLevel: 'error',
  });
  return outfile;
}
