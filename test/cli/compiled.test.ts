import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const require = createRequire(import.meta.url);
const { run, keep } = require(path.join(projectRoot, 'bin/compiled.cjs')) as {
  run: (file: string) => void;
  keep: (file: string) => void;
};
const ran: string[] = [];
Object.assign(globalThis, { compiledTestRan: ran });

/** A bundle that says its name when it runs. */
const bundle = (name: string): string =>
  `const { basename } = require('node:path'); compiledTestRan.push('${name}', basename(__filename));`;

it('runs a bundle as it is, whatever was kept beside it', async () => {
  const file = path.join(await temporaryDirectory(), 'bundle.cjs');
  const runs = (name: string): void => {
    ran.length = 0;
    run(file);
    expect(ran).toEqual([name, 'bundle.cjs']);
  };

  await writeFile(file, bundle('a'));
  runs('a');
  keep(file);
  expect(existsSync(`${file}.compiled`)).toBe(true);
  runs('a');
  // V8 alone would take what was kept for any code of the same length.
  await writeFile(file, bundle('b'));
  runs('b');
  keep(file);
  runs('b');
  await writeFile(`${file}.compiled`, 'no such thing');
  runs('b');
  await rm(`${file}.compiled`);
  runs('b');
});
