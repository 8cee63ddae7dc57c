// Bundles the product into dist/k2hdkc-agent.cjs, with THIRD_PARTY_LICENSES beside it. With --all also
// what the tests and the demo run as processes of their own: the demo (dist/test/*.mjs) and the
// stand-ins (dist/test/antpickax). With --stand-ins only those. With --out FOLDER the product goes there.
import { build } from 'esbuild';
import { chmod, copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { keep } from '../bin/compiled.cjs';
import { parseArgs } from 'node:util';
import { thirdPartyLicenses } from './third-party.mjs';

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

const { values } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    'stand-ins': { type: 'boolean', default: false },
    out: { type: 'string', default: path.join(root, 'dist') },
  },
});

if (!values['stand-ins']) await buildProduct(path.resolve(values.out));
if (values.all) await buildDemo();
if (values.all || values['stand-ins']) await buildStandIns();

async function buildProduct(out) {
  const bundle = path.join(out, 'k2hdkc-agent.cjs');
  const { metafile } = await build({
    ...common,
    entryPoints: ['src/cli/main.ts'],
    outfile: bundle,
    metafile: true,
    format: 'cjs',
    // Names stay as they are, for the stack trace of a crash. Spaces cost memory: Node.js keeps them.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none', // they are in THIRD_PARTY_LICENSES
  });
  const notices = await thirdPartyLicenses(root, metafile.outputs[path.relative(root, bundle)]);
  await writeFile(path.join(out, 'THIRD_PARTY_LICENSES'), notices);
  keep(bundle);
}

async function buildDemo() {
  await build({
    ...common,
    entryPoints: {
      demo: 'test/demo/main.ts',
      lab: 'test/lab/main.ts',
      data: 'test/lab/data/main.ts',
      cold: 'test/lab/cold/main.ts',
      merges: 'test/lab/merges/main.ts',
      story: 'test/lab/story/main.ts',
    },
    outdir: 'dist/test',
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    packages: 'external',
    sourcemap: 'inline',
  });
}

// Stand-ins are started as if they were the real programs: a folder to put on PATH.
async function buildStandIns() {
  const from = path.join(root, 'test/simulators/antpickax');
  const to = path.join(root, 'dist/test/antpickax');
  const daemons = ['chmpx', 'k2hdkc'];
  const tools = ['chmpxstatus', 'chmpxlinetool', 'k2hlinetool', 'k2hdkclinetool'];
  for (const name of daemons) {
    await build({
      ...common,
      entryPoints: [path.join(from, `${name}.ts`)],
      outfile: path.join(to, name),
      format: 'cjs',
      banner: { js: '#!/usr/bin/env node' },
    });
  }
  // The folder is its own package, or Node would take files without an ending for ES modules.
  await writeFile(path.join(to, 'package.json'), '{ "type": "commonjs" }\n');
  for (const name of [...tools, 'node.pl']) {
    await copyFile(path.join(from, name), path.join(to, name));
  }
  for (const name of [...daemons, ...tools]) await chmod(path.join(to, name), 0o755);
}
