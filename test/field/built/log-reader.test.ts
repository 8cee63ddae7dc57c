// The built agent when whoever reads its output goes away (see ../log-reader.test.ts).
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../helpers/project-root.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { guestInfoConf, troveGuestagentConf } from '../../peers/trove/guest-files.ts';

const PROGRAM = path.join(projectRoot, 'bin/k2hdkc-agent');

/** Starts the agent with these files, and resolves at the first line of its log. */
async function started(files: Record<string, string>) {
  const directory = await temporaryDirectory();
  await mkdir(path.join(directory, 'conf.d'));
  const yaml = `paths:\n  state_dir: ${directory}/state\n${files['agent.yaml'] ?? ''}`;
  for (const [name, text] of Object.entries({ ...files, 'agent.yaml': yaml })) {
    await writeFile(path.join(directory, name), text);
  }
  const config = `--config=${directory}/agent.yaml`;
  const words = ['run', `--config-dir=${directory}/conf.d`, config];
  const child = spawn(PROGRAM, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child.stdout, 'data');
  return { child, directory, stderr: () => stderr };
}

/** The reader goes, and then the agent is told to end. */
async function endedUnread(child: ChildProcess): Promise<unknown[]> {
  child.stdout?.destroy();
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  return ended;
}

it('a server ends as it is told to, without a reader', async () => {
  const { child, stderr } = await started({
    'conf.d/guest_info.conf': guestInfoConf({ id: 'an-instance', key: 'k'.repeat(32) }),
    'conf.d/trove-guestagent.conf': troveGuestagentConf({
      transportUrl: 'rabbit://trove:hidden-password@127.0.0.1:1/',
      controlExchange: 'trove',
    }),
  });
  expect(await endedUnread(child)).toEqual([0, null]);
  expect(stderr()).toBe('');
});

it('a slave leaves its cluster as it is told to, without a reader', async () => {
  const { child, directory, stderr } = await started({
    'agent.yaml':
      'mode: slave\nslave:\n  registration_url: http://127.0.0.1:1/v1/extdata/trove/registertype/secret\n',
  });
  expect(await endedUnread(child)).toEqual([0, null]);
  expect(stderr()).toBe('');
  const desired = await readFile(path.join(directory, 'state/desired.json'), 'utf8');
  expect(JSON.parse(desired)).toMatchObject({ parameters: null });
});

it.each([[['--help']], [['--version']], [['status']], [['status', '--json']], [['walk']]])(
  '%j into a pipe that nobody reads prints no stack trace',
  async (words) => {
    const child = spawn(PROGRAM, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect(stderr).not.toMatch(/EPIPE|\n\s+at /);
    expect([0, 3, 64]).toContain(code);
  },
);

it.each([[['--help']], [['walk']]])('%j with its error output closed', async (words) => {
  const child = spawn(PROGRAM, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  child.stderr.destroy();
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(words[0] === 'walk' ? 64 : 0);
});
