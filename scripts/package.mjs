// Builds the packages into dist/packages: `npm run package`.
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { buildTwice, lintian } from '../packaging/build.mjs';
import {
  agentSource,
  NPM_ARCHITECTURES,
  pinnedNode,
  runtimeSource,
  versions,
} from '../packaging/sources.mjs';

const HELP = `npm run package -- [options]

Builds k2hdkc-guest-agent_VERSION_all.deb and k2hdkc-guest-agent-runtime_NODEVERSION_ARCH.deb into
dist/packages. Each is built twice, and it fails when the two differ or when lintian complains.
  --architectures LIST  of the runtime (default amd64,arm64)
  --fast                compresses less; for tests
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    architectures: { type: 'string', default: Object.keys(NPM_ARCHITECTURES).join(',') },
    fast: { type: 'boolean', default: false },
  },
});
const out = path.join(path.dirname(import.meta.dirname), 'dist/packages');
const say = (line) => void process.stdout.write(`package: ${line}\n`);

async function main() {
  const { agent, runtime } = await versions();
  const common = { compression: values.fast ? '-Zzstd -z3' : '-Zxz -z3', out };
  await rm(out, { recursive: true, force: true });
  const built = [
    await buildTwice({
      ...common,
      name: 'k2hdkc-guest-agent',
      version: agent,
      architecture: 'all',
      source: agentSource,
    }),
  ];
  for (const architecture of values.architectures.split(',')) {
    const node = await pinnedNode(architecture);
    built.push(
      await buildTwice({
        ...common,
        name: 'k2hdkc-guest-agent-runtime',
        version: runtime,
        architecture,
        source: (folder) => runtimeSource(folder, node),
      }),
    );
  }
  say('each was built twice, and the two are the same');
  lintian(built.map((file) => path.join(out, file)));
  say('lintian has nothing to say');
  for (const file of await readdir(out)) say(`dist/packages/${file}`);
}

if (values.help) process.stdout.write(HELP);
else {
  await main().catch((error) => {
    process.stderr.write(`package: ${error.message}\n`);
    process.exitCode = 1;
  });
}
