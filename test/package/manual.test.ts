import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { HELP } from '../../src/cli/command-line.ts';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { projectRoot } from '../helpers/project-root.ts';

const run = promisify(execFile);
const MANUAL = path.join(projectRoot, 'packaging/agent/k2hdkc-agent.8');
const COMPLETION = path.join(projectRoot, 'packaging/agent/k2hdkc-agent.completion');

/** Every option in a text, without its dashes. */
const optionsOf = (text: string): string[] =>
  [...new Set([...text.matchAll(/(?<=\s|\[)--([a-z-]+)/g)].map(([, name = '']) => name))].sort();

it('the manual page names every option and exit code, and no other', async () => {
  const text = await readFile(MANUAL, 'utf8');
  const named = [...text.matchAll(/Fl -([a-z-]+)/g)].map(([, name = '']) => name);
  expect([...new Set(named)].sort()).toEqual(optionsOf(HELP));
  const codes = [...text.matchAll(/^\.It (\d+)$/gm)].map(([, code]) => Number(code));
  expect(codes).toEqual(Object.values(EXIT));
});

it('mandoc finds nothing wrong with it', async () => {
  const { stdout } = await run('mandoc', ['-T', 'lint', '-W', 'warning', MANUAL]);
  expect(stdout).toBe('');
});

it.each([
  ['k2hdkc-agent ', ['run', 'status', '--version', '--help']],
  ['k2hdkc-agent run --l', ['--log-format', '--log-level']],
  ['k2hdkc-agent run --log-level w', ['warn']],
  ['k2hdkc-agent status --config /x --j', ['--json']],
])('bash completes %j', async (line, expected) => {
  const words = line.split(' ');
  const array = words.map((word) => `'${word}'`).join(' ');
  const script = `. "${COMPLETION}"; COMP_WORDS=(${array}); COMP_CWORD=${words.length - 1}; _k2hdkc_agent; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run('bash', ['-c', script]);
  expect(stdout.trim().split('\n')).toEqual(expected);
});

it('the completion knows every option', async () => {
  const text = await readFile(COMPLETION, 'utf8');
  expect(optionsOf(text.replaceAll("'", ' '))).toEqual(optionsOf(HELP));
});
