// Builds the product and a benchmark of this folder, and runs it: `node bench/run.mjs rpc`.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = path.dirname(import.meta.dirname);
const [name = 'rpc', ...words] = process.argv.slice(2);

execFileSync(process.execPath, [path.join(root, 'scripts/build.mjs'), '--all']);
const outfile = path.join(root, `dist/bench/${name}.mjs`);
await build({
  absWorkingDir: root,
  entryPoints: [`bench/${name}.ts`],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  logLevel: 'warning',
});
process.argv = [process.execPath, outfile, ...words];
await import(pathToFileURL(outfile).href);
