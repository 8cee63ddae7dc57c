// Bundles the product into dist/k2hdkc-agent.cjs. With --all also what the tests and the demo run
// as processes of their own (dist/test/*.mjs): the demo and the stand-ins.
import { build } from 'esbuild';
import { existsSync } from 'node:fs';
import { chmod, mkdir, copyFile, readFile } from 'node:fs/promises';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
  define: { K2HDKC_AGENT_VERSION: JSON.stringify(version) },
};

await build({
  ...common,
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/k2hdkc-agent.cjs',
  format: 'cjs',
  minifySyntax: true,
  legalComments: 'none',
  // The bundle carries its own copies of the libraries; nothing is read from node_modules.
});

if (process.argv.includes('--all')) {
  await build({
    ...common,
    entryPoints: { demo: 'test/demo/main.ts' },
    outdir: 'dist/test',
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    packages: 'external',
    sourcemap: 'inline',
  });
  // Stand-ins are started as if they were the real programs: a folder to put on PATH.
  await build({
    ...common,
    entryPoints: {
      chmpx: 'test/simulators/antpickax/chmpx.ts',
      k2hdkc: 'test/simulators/antpickax/k2hdkc.ts',
    },
    outdir: 'dist/test/antpickax',
    outExtension: { '.js': '' },
    format: 'cjs',
    banner: { js: '#!/usr/bin/env node' },
  }).catch((error) => {
    if (existsSync(path.join(root, 'test/simulators/antpickax/chmpx.ts'))) throw error;
  });
}
