import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const require = createRequire(import.meta.url);
const compiled = path.join(projectRoot, 'bin/compiled.cjs');
const { run, keep } = require(compiled) as {
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

it('does not use what another Node.js kept', async () => {
  const file = path.join(await temporaryDirectory(), 'bundle.cjs');
  const HASH_BYTES = 32;
  /** In a process of its own: this one has flags set and the code compiled already. */
  const does = async (what: 'run' | 'keep', first = ''): Promise<string> => {
    const program = `${first}; require(${JSON.stringify(compiled)}).${what}(${JSON.stringify(file)})`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['-e', program]);
    expect(stderr).toBe('');
    return stdout;
  };
  const kept = async (word: string, first?: string): Promise<Buffer> => {
    await writeFile(file, `process.stdout.write('${word}');`);
    await does('keep', first);
    return readFile(`${file}.compiled`);
  };
  // V8 takes this for the code of any bundle of the same length: it shows whether it was used.
  const wrong = (await kept('wrong')).subarray(HASH_BYTES);
  const saidWithHashOf = async (other: Buffer): Promise<string> => {
    await writeFile(`${file}.compiled`, Buffer.concat([other.subarray(0, HASH_BYTES), wrong]));
    return does('run');
  };

  const older = `Object.defineProperty(process, 'version', { value: 'v20.11.0' })`;
  expect(await saidWithHashOf(await kept('right'))).toBe('wrong');
  expect(await saidWithHashOf(await kept('right', older))).toBe('right');
});
