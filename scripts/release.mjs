// Puts a release together in dist/release: `npm run release`.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { sections } from '../packaging/changelog.mjs';
import { billOfMaterials } from '../packaging/sbom.mjs';
import { lastChange, versions } from '../packaging/sources.mjs';

const HELP = `npm run release -- [options]

Puts a release together in dist/release: the packages, their SHA256SUMS, a bill of materials (CycloneDX), and
what has changed. Everything must be committed, and the newest section of CHANGELOG.md be
\`## VERSION (DATE)\` with the version of package.json.
  --draft   also with changes that are not committed, and without a date
  --fast    compresses less; for tests
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    draft: { type: 'boolean', default: false },
    fast: { type: 'boolean', default: false },
  },
});
const root = path.dirname(import.meta.dirname);
const out = path.join(root, 'dist/release');
const packages = path.join(root, 'dist/packages');
const say = (line) => void process.stdout.write(`release: ${line}\n`);

async function main() {
  const { agent: version } = await versions();
  const [newest] = sections(await readFile(path.join(root, 'CHANGELOG.md'), 'utf8'));
  if (!values.draft) refuseUnfinished(newest);
  const script = path.join(import.meta.dirname, 'package.mjs');
  execFileSync(process.execPath, [script, ...(values.fast ? ['--fast'] : [])], {
    stdio: 'inherit',
  });
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  for (const name of await readdir(packages)) {
    await copyFile(path.join(packages, name), path.join(out, name));
  }
  const sbom = await billOfMaterials({ version, changed: lastChange('.') });
  const base = `k2hdkc-guest-agent-${version}`;
  await writeFile(path.join(out, `${base}.cdx.json`), `${JSON.stringify(sbom, null, 2)}\n`);
  await writeFile(path.join(out, `${base}.changes.md`), `${newest.text}\n`);
  await writeFile(path.join(out, 'SHA256SUMS'), await sums());
  for (const name of await readdir(out)) say(`dist/release/${name}`);
}

/** Throws what is missing before somebody else gets it. */
function refuseUnfinished({ version, date }) {
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) {
    throw new Error(
      `CHANGELOG.md says "${date}" of ${version}: put the date of the release there, or try with --draft`,
    );
  }
  const changed = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
  if (changed !== '') {
    throw new Error(
      `not everything is committed (${changed.trim().split('\n').length} files): commit it, or try with --draft`,
    );
  }
}

/** As sha256sum prints it. */
async function sums() {
  const names = (await readdir(out)).sort();
  const lines = names.map(async (name) => {
    const bytes = await readFile(path.join(out, name));
    return `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`;
  });
  return (await Promise.all(lines)).join('');
}

if (values.help) process.stdout.write(HELP);
else {
  await main().catch((error) => {
    process.stderr.write(`release: ${error.message}\n`);
    process.exitCode = 1;
  });
}
