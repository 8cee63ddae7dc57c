import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { rpcMethodsPage } from '../../scripts/rpc-methods-page.ts';
import { GUEST_METHODS } from '../../src/trove/guest-methods.ts';
import { projectRoot } from '../helpers/project-root.ts';

const file = path.join(projectRoot, 'docs/rpc-methods.md');

describe('docs/rpc-methods.md', () => {
  it('is what `node scripts/rpc-methods.mjs` makes from the code', async () => {
    expect(await readFile(file, 'utf8')).toBe(await rpcMethodsPage(file));
  });

  it('has every method once, and once among the releases', async () => {
    const page = await readFile(file, 'utf8');
    const parts = page.split('## Which Trove sends what');
    expect(parts).toHaveLength(2);
    for (const part of parts) {
      const named = [...part.matchAll(/^(?:### |\| )`(\w+)`/gm)].map(([, name]) => name);
      expect(named.sort()).toEqual([...GUEST_METHODS.keys()].sort());
    }
  });
});
