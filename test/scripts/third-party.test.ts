import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { thirdPartyLicenses } from '../../scripts/third-party.mjs';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'k2hdkc-licences-'));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

async function addPackage(name: string, files: Record<string, string>): Promise<void> {
  const folder = path.join(root, 'node_modules', name);
  await mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(path.join(folder, file), text);
}

const about = (name: string, more: object = { license: 'MIT' }): string =>
  JSON.stringify({ name, version: '1.2.3', ...more });

/** What a bundle with these files has in esbuild's metafile. */
const outputOf = (...files: string[]) => ({
  inputs: Object.fromEntries(files.map((file) => [file, { bytesInOutput: 10 }])),
});

it('names each package once, with its version, licence and the text of every licence file', async () => {
  await addPackage('plain', { 'package.json': about('plain'), LICENSE: 'Copyright of plain' });
  await addPackage('@some/scoped', {
    'package.json': about('@some/scoped', { license: 'Apache-2.0' }),
    'license.md': 'Copyright of scoped',
    NOTICE: 'Notice of scoped',
  });
  const output = outputOf(
    'src/main.ts',
    'node_modules/plain/a.js',
    'node_modules/plain/lib/b.js',
    'node_modules/@some/scoped/index.js',
  );
  const text = await thirdPartyLicenses(root, output);
  expect(text.match(/^\S+ 1\.2\.3 .*$/gm)).toEqual([
    '@some/scoped 1.2.3 (Apache-2.0)',
    'plain 1.2.3 (MIT)',
  ]);
  for (const notice of ['Copyright of plain', 'Copyright of scoped', 'Notice of scoped']) {
    expect(text).toContain(notice);
  }
});

it('takes a copy that lies in another package for a package of its own', async () => {
  await addPackage('inner', { 'package.json': about('inner'), LICENSE: 'the outer one' });
  await addPackage('other/node_modules/inner', {
    'package.json': about('inner'),
    LICENCE: 'the inner one',
  });
  const text = await thirdPartyLicenses(
    root,
    outputOf('node_modules/other/node_modules/inner/x.js'),
  );
  expect(text).toContain('the inner one');
  expect(text).not.toContain('the outer one');
});

it('leaves out what was shaken off', async () => {
  await addPackage('unused', { 'package.json': about('unused'), LICENSE: 'text' });
  const inputs = { 'node_modules/unused/x.js': { bytesInOutput: 0 } };
  expect(await thirdPartyLicenses(root, { inputs })).not.toContain('unused');
});

it.each([
  ['no licence file', { 'package.json': about('bad'), 'README.md': 'MIT' }],
  ['no licence named', { 'package.json': about('bad', {}), LICENSE: 'text' }],
])('fails for a package with %s', async (_, files) => {
  await addPackage('bad', files);
  await expect(thirdPartyLicenses(root, outputOf('node_modules/bad/x.js'))).rejects.toThrow(
    'bad 1.2.3 has no licence file, or names no licence: do not bundle it',
  );
});
