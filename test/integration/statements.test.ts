import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';

interface Listed {
  name: string;
  file: string;
}

/** What vitest would run of the conformance suite, file by file. */
async function statements(): Promise<string> {
  const vitest = path.join(projectRoot, 'node_modules/vitest/vitest.mjs');
  const words = [vitest, 'list', '--project', 'integration', 'test/conformance', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, words, {
    cwd: projectRoot,
    maxBuffer: 2 ** 24,
  });
  const listed = JSON.parse(stdout) as Listed[];
  const nameOf = (file: string): string => path.basename(file);
  const files = [...new Set(listed.map(({ file }) => nameOf(file)))].toSorted();
  const blocks = files.map((file) => {
    const names = listed.filter((one) => nameOf(one.file) === file).map(({ name }) => `  ${name}`);
    return [file, ...names, ''].join('\n');
  });
  return `${listed.length} statements, the same for stand-ins and real programs.\n\n${blocks.join('\n')}`;
}

// After a change of the suite: npx vitest run --project integration test/integration/statements -u
it('the list of conformance statements is that of the suite', async () => {
  await expect(await statements()).toMatchFileSnapshot('../conformance/statements.txt');
});
