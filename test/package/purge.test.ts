import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';

it('a purge deletes every file that the state directory has', async () => {
  const read = (name: string) => readFile(path.join(projectRoot, name), 'utf8');
  const [, table = ''] = (await read('docs/architecture.md')).split('## State directory');
  const rows = table.split('\n## ')[0]?.matchAll(/^\| (`.*?) \|/gm) ?? [];
  const documented = [...rows].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([a-z.-]+)[^`]*`/g)].map(([, name]) => name),
  );
  const postrm = await read('packaging/agent/debian/postrm');
  const [, names = ''] = /for name in ([^;]*); do/.exec(postrm) ?? [];
  expect(documented).toContain('desired.json');
  expect(names.split(/[\s\\]+/).sort()).toEqual([...new Set(documented)].sort());
});
