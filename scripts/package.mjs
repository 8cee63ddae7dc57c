// Builds the packages: `npm run package`.
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { buildTwice, lintian, rpmlint } from '../packaging/build.mjs';
import {
  agentSource,
  NPM_ARCHITECTURES,
  pinnedNode,
  runtimeSource,
  versions,
} from '../packaging/sources.mjs';

const HELP = `npm run package -- [options]

Builds k2hdkc-guest-agent_VERSION_all.deb and k2hdkc-guest-agent-runtime_NODEVERSION_ARCH.deb, and the
same as .rpm, into a folder. Each is built twice, and it fails when the two differ or when lintian or
rpmlint complains.
  --architectures LIST  of the runtime (default amd64,arm64)
  --out FOLDER          where they go (default dist/packages); what is there before is deleted
  --fast                compresses less; for tests
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    architectures: { type: 'string', default: Object.keys(NPM_ARCHITECTURES).join(',') },
    out: {
      type: 'string',
      default: path.join(path.dirname(import.meta.dirname), 'dist/packages'),
    },
    fast: { type: 'boolean', default: false },
  },
});
const out = path.resolve(values.out);
const say = (line) => void process.stdout.write(`package: ${line}\n`);

async function main() {
  const { agent, runtime } = await versions();
  const common = { compression: values.fast ? 'fast' : 'small', out };
  await rm(out, { recursive: true, force: true });
  const built = await buildTwice({
    ...common,
    name: 'k2hdkc-guest-agent',
    version: agent,
    architecture: 'all',
    source: agentSource,
  });
  for (const architecture of values.architectures.split(',')) {
    const node = await pinnedNode(architecture);
    const files = await buildTwice({
      ...common,
      name: 'k2hdkc-guest-agent-runtime',
      version: runtime,
      architecture,
      source: (folder) => runtimeSource(folder, node),
    });
    built.push(...files);
  }
  say('each was built twice, and the two are the same');
  const paths = built.map((file) => path.join(out, file));
  lintian(paths.filter((file) => file.endsWith('.deb')));
  say('lintian has nothing to say');
  rpmlint(paths.filter((file) => file.endsWith('.rpm')));
  say('rpmlint has nothing to say');
  for (const file of await readdir(out)) say(path.relative('.', path.join(out, file)));
}

if (values.help) process.stdout.write(HELP);
else {
  await main().catch((error) => {
    process.stderr.write(`package: ${error.message}\n`);
    process.exitCode = 1;
  });
}
