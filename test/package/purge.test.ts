import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';

/** What the code puts into the state directory, by the names that it joins to it. */
async function namesInCode(): Promise<string[]> {
  const source = path.join(projectRoot, 'src');
  const files = (await readdir(source, { recursive: true })).filter((name) => name.endsWith('.ts'));
  const texts = files.map((name) => readFile(path.join(source, name), 'utf8'));
  const joined =
    /path\.join\(\s*(?:\w+\.)*(?:stateDirectory|state_dir|state\.directory),\s*'([^']+)'/g;
  return (await Promise.all(texts)).flatMap((text) =>
    [...text.matchAll(joined)].map(([, name = '']) => name),
  );
}

it('a purge deletes every file that the state directory has', async () => {
  const read = (name: string) => readFile(path.join(projectRoot, name), 'utf8');
  const [, table = ''] = (await read('docs/architecture.md')).split('## State directory');
  const rows = table.split('\n## ')[0]?.matchAll(/^\| (`.*?) \|/gm) ?? [];
  const documented = [...rows].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([a-z.-]+)[^`]*`/g)].map(([, name]) => name),
  );
  const postrm = await read('packaging/agent/debian/postrm');
  const [, names = ''] = /for name in ([^;]*); do/.exec(postrm) ?? [];
  expect([...new Set(documented)].sort()).toEqual([...new Set(await namesInCode())].sort());
  expect(names.split(/[\s\\]+/).sort()).toEqual([...new Set(documented)].sort());
});
