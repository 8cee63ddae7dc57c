// Writes docs/rpc-methods.md from the tables of methods in src/trove.
import { build } from 'esbuild';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const root = path.dirname(import.meta.dirname);
const page = path.join(root, 'docs/rpc-methods.md');
// Below the root, so that the bundle finds node_modules.
const directory = await mkdtemp(path.join(root, 'node_modules/.rpc-methods-'));
try {
  const outfile = path.join(directory, 'page.mjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['scripts/rpc-methods-page.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  });
  const { rpcMethodsPage } = await import(pathToFileURL(outfile).href);
  await writeFile(page, await rpcMethodsPage(page));
} finally {
  await rm(directory, { recursive: true });
}
