import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { projectRoot } from '../../helpers/project-root.ts';

/** Runs a file of tests in a vitest of its own and prints how they ended. */
const RUN = `import { startVitest } from 'vitest/node';
const [file] = process.argv.slice(1);
const options = { config: false, watch: false, include: [file], reporters: [{}] };
const { state } = await startVitest('test', [], options);
const tests = state.getTestModules().flatMap(({ children }) => [...children.allTests()]);
const ends = tests.map((test) => [test.name, (test.result().errors ?? []).map((one) => one.message)]);
console.log(JSON.stringify({ ends, unhandled: state.getUnhandledErrors().length }));
process.exit(0);`;

/** The errors of each test by its name, and how many errors belong to none. */
async function run(file: string): Promise<{ ends: [string, string[]][]; unhandled: number }> {
  const words = ['--input-type=module', '--eval', RUN, file];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: projectRoot });
  return JSON.parse(stdout) as Awaited<ReturnType<typeof run>>;
}

it('a child that is killed fails the test that uses it, with its last words, and no other', async () => {
  const { ends, unhandled } = await run('test/peers/trove/ended/ended.child.ts');
  const text = "Trove's code ended; it said last:\nthese are my last words";
  expect(ends).toEqual([
    ['waits for an answer', [text, text]], // the answer, and the stop
    ['waits for no answer', [text]],
    ['goes on', []],
  ]);
  expect(unhandled).toBe(0);
});
