// The bill of materials of a release: CycloneDX, by npm, of what the two lock files pin.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);

/**
 * What is in the packages of a release, as a document of CycloneDX: the npm packages of the agent's bundle,
 * and Node.js for each architecture. `changed` (a Date) is the time that it bears; the same sources
 * give the same document.
 */
export async function billOfMaterials({ version, changed }) {
  const agent = await npmSbom(root);
  const runtime = await npmSbom(path.join(root, 'packaging/runtime'));
  const name = 'k2hdkc-guest-agent';
  const ref = `${name}@${version}`;
  const nodes = runtime.components.map((component) => component['bom-ref']);
  const document = {
    ...agent,
    serialNumber: undefined,
    metadata: {
      ...agent.metadata,
      timestamp: changed.toISOString(),
      component: { ...agent.metadata.component, name, type: 'application' },
    },
    components: [...agent.components, ...runtime.components],
    dependencies: [
      ...agent.dependencies.map((one) =>
        one.ref === ref ? { ...one, dependsOn: [...one.dependsOn, ...nodes] } : one,
      ),
      ...runtime.dependencies.filter((one) => nodes.includes(one.ref)),
    ],
  };
  document.serialNumber = `urn:uuid:${uuidOf(JSON.stringify(document))}`;
  return document;
}

/**
 * What `npm sbom` says of a folder's packages without those for development. It is given files that lack them:
 * with --omit=dev it leaves out what a package for development needs too (cross-spawn; npm 10 and 11).
 */
async function npmSbom(folder) {
  const read = async (name) => JSON.parse(await readFile(path.join(folder, name), 'utf8'));
  const manifest = { ...(await read('package.json')), devDependencies: {} };
  const lock = await read('package-lock.json');
  const packages = Object.entries(lock.packages).filter(([, { dev }]) => !dev);
  const own = { ...lock.packages[''], devDependencies: {} };
  const copy = await mkdtemp(path.join(tmpdir(), 'k2hdkc-sbom-'));
  try {
    const write = (name, text) => writeFile(path.join(copy, name), JSON.stringify(text));
    await write('package.json', manifest);
    await write('package-lock.json', {
      ...lock,
      packages: { ...Object.fromEntries(packages), '': own },
    });
    const how = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'];
    const options = { cwd: copy, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] };
    return JSON.parse(execFileSync('npm', how, options));
  } finally {
    await rm(copy, { recursive: true });
  }
}

/** A UUID of version 8 (RFC 9562): it says what it was made from, and nothing of the machine. */
function uuidOf(text) {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
