import { execFile } from 'node:child_process';
import { utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import type { StatusDocument } from '../../src/node/status-document.ts';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { lockDirectory } from '../../src/host/instance-lock.ts';
import { bundle } from '../helpers/bundle.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const NOW = new Date().toISOString();
const DOCUMENT: StatusDocument = {
  version: 1,
  agent: { version: '1.2.3', pid: 42, since: NOW },
  mode: 'server',
  node: { state: 'serving', since: NOW, step: 'serving' },
  trove: 'healthy',
  programs: { chmpx: 43, k2hdkc: 44 },
  network: null,
  role: { servers: 1, problem: null },
  ring: null,
  concerns: [],
};
const CONCERN = { kind: 'server-down', subject: 'b', since: NOW, text: 'b is down' } as const;

let directory: string;
let program: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
  await writeFile(path.join(directory, 'agent.yaml'), `paths: { state_dir: ${directory} }\n`);
  program = await bundle('src/cli/main.ts', directory);
});

interface Ending {
  code: number;
  stdout: string;
  stderr: string;
}

function status(...words: string[]): Promise<Ending> {
  const args = [program, 'status', '--config', path.join(directory, 'agent.yaml'), ...words];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

/** As an agent that runs and keeps this. */
async function keep(change: Partial<StatusDocument> = {}, ageSeconds = 0): Promise<void> {
  const unlock = await lockDirectory(directory);
  onTestFinished(unlock);
  const file = path.join(directory, 'status.json');
  await writeFile(file, JSON.stringify({ ...DOCUMENT, ...change }));
  const at = Date.now() / 1000 - ageSeconds;
  await utimes(file, at, at);
}

it.each<[string, Partial<StatusDocument>, number, number, RegExp]>([
  ['all is well', {}, 0, EXIT.ok, /^this server: serving .*\nchmpx pid 43/],
  ['something concerns you', { concerns: [CONCERN] }, 0, EXIT.concern, /\n {2}server-down since/],
  [
    'it fails',
    { node: { ...DOCUMENT.node, state: 'failed' } },
    0,
    EXIT.concern,
    /^this server: failed/,
  ],
  ['the file is old', {}, 200, EXIT.stale, /^OLD: .*\nthis server: serving/],
])('%s', async (_, change, age, code, text) => {
  await keep(change, age);
  const ending = await status();
  expect(ending).toMatchObject({ code, stderr: '' });
  expect(ending.stdout).toMatch(text);
});

it.each([[], ['--json']])(
  'shows what others wrote cut, on one line, and obeyed by no terminal: %j',
  async (...words) => {
    const evil = `a\u001b[2J\u009b31mb\u202ec\nCONCERNS: 0\r${'x'.repeat(100_000)}`;
    const ring = { group: evil, servers: [{ name: evil, cuk: 'c', status: evil, self: true }] };
    const concerns = [{ ...CONCERN, text: evil }];
    await keep({ ring, concerns, role: { servers: 1, problem: evil }, trove: evil });
    const { stdout } = await status(...words);
    expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
    expect(stdout).not.toMatch(/^CONCERNS: 0/m);
    expect(stdout.length).toBeLessThan(30_000);
    expect(stdout).toContain(words.length === 0 ? String.raw`a\x1b[2J` : String.raw`a\\x1b[2J`);
  },
);

it('json has also what this version does not know', async () => {
  await keep({ newer: { key: 'x\u009by' } } as Partial<StatusDocument>);
  const { stdout } = await status('--json');
  expect(JSON.parse(stdout)).toMatchObject({ newer: { key: String.raw`x\x9by` }, version: 1 });
});

it('no agent runs: says so first, and what was so when one did', async () => {
  expect(await status()).toMatchObject({
    code: EXIT.notRunning,
    stdout: 'NO AGENT RUNS on this VM: systemctl status k2hdkc-guest-agent\n',
  });
  await writeFile(path.join(directory, 'status.json'), JSON.stringify(DOCUMENT));
  const { code, stdout } = await status();
  expect(code).toBe(EXIT.notRunning);
  expect(stdout).toMatch(/^NO AGENT RUNS .* below is what was so at .*\nthis server: serving/);
});

it('no agent has ever run here: the state directory is not there', async () => {
  await writeFile(path.join(directory, 'agent.yaml'), `paths: { state_dir: ${directory}/none }\n`);
  expect((await status()).code).toBe(EXIT.notRunning);
});

it('an agent that has just started has said nothing yet', async () => {
  onTestFinished(await lockDirectory(directory));
  const { code, stdout } = await status();
  expect(code).toBe(EXIT.stale);
  expect(stdout).toContain('has not said how the node is');
});

it('--json prints the document alone', async () => {
  await keep({ concerns: [CONCERN] });
  const { code, stdout, stderr } = await status('--json');
  expect(JSON.parse(stdout)).toEqual({ ...DOCUMENT, concerns: [CONCERN] });
  expect([code, stderr]).toEqual([EXIT.concern, '']);
});

it('a file that cannot be read is one line and exit code 1', async () => {
  await keep();
  await writeFile(path.join(directory, 'agent.yaml'), 'paths: { state_dir: /proc/1/mem }\n');
  const { code, stderr } = await status();
  expect(code).toBe(EXIT.failed);
  expect(stderr).toMatch(/^k2hdkc-agent: .*\n$/);
});

it('a file that no agent writes is one line, and not shown', async () => {
  await keep();
  await writeFile(path.join(directory, 'status.json'), JSON.stringify({ version: '\u001b[2J' }));
  const ending = await status();
  expect(ending).toMatchObject({ code: EXIT.stale });
  expect(ending.stderr).toMatch(/status\.json: not what this version writes \(version: .*\n$/);
  expect(ending.stderr).not.toContain('\u001b');
  expect(ending.stdout).toContain('has not said how the node is');
  expect(await status('--json')).toMatchObject({ code: EXIT.stale, stdout: 'null\n' });
});
