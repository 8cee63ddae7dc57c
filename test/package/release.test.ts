import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { billOfMaterials } from '../../packaging/sbom.mjs';
import { debianEntry, listItems, rpmEntry, sections } from '../../packaging/changelog.mjs';
import { projectRoot } from '../helpers/project-root.ts';

const read = (name: string): Promise<string> => readFile(path.join(projectRoot, name), 'utf8');
const changed = new Date('2026-11-30T12:00:00Z');

it('a bill of materials has what is in the bundle, and Node.js of each architecture', async () => {
  const { version } = JSON.parse(await read('package.json')) as { version: string };
  const sbom = await billOfMaterials({ version, changed });
  const purls = sbom.components.map(({ purl }) => decodeURIComponent(purl));
  const bundled = [
    ...(await read('dist/THIRD_PARTY_LICENSES')).matchAll(/^(\S+) (\d\S*) \(.+\)$/gm),
  ];
  expect(bundled.length).toBeGreaterThan(20);
  for (const [, name, of] of bundled) expect(purls).toContain(`pkg:npm/${name}@${of}`);
  expect(purls.filter((purl) => purl.includes('/node-linux-'))).toHaveLength(2);
  for (const { hashes } of sbom.components) expect(hashes).not.toEqual([]);
  expect(sbom.metadata.component).toMatchObject({
    name: 'k2hdkc-guest-agent',
    type: 'application',
  });
});

it('two bills of the same sources are the same', async () => {
  const one = await billOfMaterials({ version: '0.1.0', changed });
  expect(await billOfMaterials({ version: '0.1.0', changed })).toEqual(one);
  expect(one.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(one.metadata.timestamp).toBe('2026-11-30T12:00:00.000Z');
});

it('a section of CHANGELOG.md has a version and a date, and is the entry of both kinds of package', () => {
  const [newest, older] = sections(
    '# Changelog\n\n## 1.1.0 (unreleased)\n\n- Ten\n  % more.\n\n## 1.0.0 (2026-11-30)\n\n- First.\n',
  );
  expect(newest).toEqual({ version: '1.1.0', date: 'unreleased', text: '- Ten\n  % more.' });
  expect(older).toMatchObject({ version: '1.0.0', date: '2026-11-30' });
  const entry = {
    source: 'k2hdkc-guest-agent',
    version: '1.1.0',
    items: listItems(newest?.text ?? ''),
    maintainer: 'A <a@example.org>',
    date: changed,
  };
  expect(debianEntry(entry)).toContain('  * Ten % more.\n');
  expect(rpmEntry(entry)).toBe('* Mon Nov 30 2026 A <a@example.org> - 1.1.0-1\n- Ten %% more.\n');
  expect(() => sections('## Soon\n')).toThrow('names no version');
});
