import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';
import { citations, oldForms, ownReferences, sections } from './citations.ts';

const CONTRACTS = path.join(projectRoot, 'docs/contracts');
const SEARCHED = ['src', 'test', 'bench', 'docs', 'config', 'systemd', 'scripts', 'bin'];
/** Files whose citations are examples, and what Python has compiled. */
const EXAMPLES = /^test\/docs\/|__pycache__/;

/** The project's texts by their path below its root. */
async function texts(): Promise<Map<string, string>> {
  const top = await readdir(projectRoot, { withFileTypes: true });
  const files = top
    .filter((entry) => entry.isFile() && /\.(?:md|[cm]?[jt]s)$/.test(entry.name))
    .map((entry) => entry.name);
  for (const directory of SEARCHED) {
    const below = await readdir(path.join(projectRoot, directory), {
      recursive: true,
      withFileTypes: true,
    });
    for (const entry of below) {
      const file = path.relative(projectRoot, path.join(entry.parentPath, entry.name));
      if (entry.isFile() && !EXAMPLES.test(file)) files.push(file);
    }
  }
  return new Map(
    await Promise.all(
      files.map(
        async (file) => [file, await readFile(path.join(projectRoot, file), 'utf8')] as const,
      ),
    ),
  );
}

describe('the contracts of this repository', () => {
  let all: Map<string, string>;
  const documents = new Map<string, string[]>();

  beforeAll(async () => {
    all = await texts();
    for (const name of await readdir(CONTRACTS)) {
      if (name === 'README.md') continue;
      documents.set(name, sections(all.get(`docs/contracts/${name}`) ?? ''));
    }
  });

  it('have every section that is cited', () => {
    const cited = [...all].flatMap(([file, text]) =>
      citations(text).map((citation) => ({ ...citation, file })),
    );
    const wrong = cited
      .filter(({ document, section }) => {
        if (document === 'README.md') return section !== null;
        const known = documents.get(document);
        return known === undefined || (section !== null && !known.includes(section));
      })
      .map(({ file, line, document, section }) => `${file}:${line} cites ${document}, ${section}`);
    expect(wrong).toEqual([]);
    expect(cited.length).toBeGreaterThan(150);
  });

  it('are cited in one form', () => {
    const wrong = [...all].flatMap(([file, text]) =>
      oldForms(text).map((line) => `${file}:${line} cites no docs/contracts/NAME.md, SECTION`),
    );
    expect(wrong).toEqual([]);
  });

  it('number their sections in order, and refer to those that they have', () => {
    for (const [name, numbers] of documents) {
      expect(numbers, name).toEqual(inOrder(numbers));
      const wrong = ownReferences(all.get(`docs/contracts/${name}`) ?? '')
        .filter(({ section }) => !numbers.includes(section ?? ''))
        .map(({ line, section }) => `docs/contracts/${name}:${line} refers to ${section}`);
      expect(wrong).toEqual([]);
    }
  });

  it('are listed in their README', () => {
    const readme = all.get('docs/contracts/README.md') ?? '';
    for (const name of documents.keys()) expect(readme).toContain(`](${name})`);
    expect(documents.size).toBeGreaterThan(0);
  });
});

/** The numbers that so many sections should have: each one more than its predecessor at its depth. */
function inOrder(numbers: string[]): string[] {
  let [top, sub] = [0, 0];
  return numbers.map((number) => {
    if (!number.includes('.')) [top, sub] = [top + 1, 0];
    else sub += 1;
    return sub === 0 ? `${top}` : `${top}.${sub}`;
  });
}
