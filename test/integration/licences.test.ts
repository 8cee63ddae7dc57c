import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';

/** The folders of the packages in the bundle, as the comments say that esbuild puts above each module. */
async function bundledPackages(): Promise<string[]> {
  const { outputFiles } = await build({
    absWorkingDir: projectRoot,
    entryPoints: ['src/cli/main.ts'],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
    logLevel: 'error',
  });
  const text = outputFiles[0]?.text ?? '';
  const found = text.matchAll(/^\s*\/\/ (.*node_modules\/(?:@[^/]+\/)?[^/\s]+)\/\S+$/gm);
  return [...new Set([...found].map(([, folder = '']) => folder))];
}

it('the bundle comes with the notice of each package in it, and of no other', async () => {
  const notices = await readFile(path.join(projectRoot, 'dist/THIRD_PARTY_LICENSES'), 'utf8');
  const headings: string[] = [];
  for (const folder of await bundledPackages()) {
    const read = (file: string) => readFile(path.join(projectRoot, folder, file), 'utf8');
    const about = JSON.parse(await read('package.json')) as Record<string, string>;
    headings.push(`${about['name'] ?? ''} ${about['version'] ?? ''}`);
    const files = await readdir(path.join(projectRoot, folder));
    const licences = files.filter((file) => /^licen[cs]e/i.test(file));
    expect(licences, folder).not.toEqual([]);
    for (const file of licences) expect(notices).toContain((await read(file)).trim());
  }
  const named = [...notices.matchAll(/^-{78}\n\n(\S+ \S+) \(.+\)$/gm)].map(([, name]) => name);
  expect(headings.length).toBeGreaterThan(10);
  expect([...new Set(named)].sort()).toEqual([...new Set(headings)].sort());
});
