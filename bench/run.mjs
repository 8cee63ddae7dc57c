// Builds the product and a benchmark of this folder, and runs it: `node bench/run.mjs rpc`.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = path.dirname(import.meta.dirname);
const [name = 'rpc', ...words] = process.argv.slice(2);

execFileSync(process.execPath, [path.join(root, 'scripts/build.mjs'), '--all']);
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
};
const outfile = path.join(root, `dist/bench/${name}.mjs`);
await build({
  ...common,
  entryPoints: [`bench/${name}.ts`],
  outfile,
  format: 'esm',
  packages: 'external',
});
// What a benchmark measures in a process of its own, in the form of the product.
const subject = `bench/${name}-subject.ts`;
if (existsSync(path.join(root, subject))) {
  await build({
    ...common,
    entryPoints: [subject],
    outfile: path.join(root, `dist/bench/${name}-subject.cjs`),
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
  });
}
process.argv = [process.execPath, outfile, ...words];
await import(pathToFileURL(outfile).href);
