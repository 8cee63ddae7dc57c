import { execFile } from 'node:child_process';
import { readlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { runAgent } from '../helpers/run-agent.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { Broker } from '../peers/broker.ts';
import { standIns } from '../story/programs.ts';
import { Stage } from '../story/stage.ts';

/** Release lines of Node.js: the newest one; `npm run test:nodes` names all that are supported. */
const LINES = (process.env['NODE_LINES'] ?? '26').split(' ');
const NOTHING = /^$/;
/** It may have to be downloaded. */
const INSTALL_MS = 300_000;

/** What `$PATH` must be for this line's `node` to be found first. */
async function pathOf(line: string): Promise<string> {
  const { stdout } = await promisify(execFile)(path.join(projectRoot, 'scripts/node-line'), [line]);
  return `${stdout.trim()}:${process.env['PATH'] ?? ''}`;
}

describe.each(LINES)('on Node.js %s, the built product', (line) => {
  let PATH: string;
  beforeAll(async () => {
    PATH = await pathOf(line);
    const { stdout } = await promisify(execFile)('node', ['--version'], { env: { PATH } });
    expect(stdout).toMatch(new RegExp(`^v${line}\\.`));
  }, INSTALL_MS);

  it.each<[string, string[], number, RegExp, RegExp]>([
    ['--version', ['--version'], EXIT.ok, /^k2hdkc-agent \d+\.\d+\.\d+\n$/, NOTHING],
    ['--help', ['--help'], EXIT.ok, /k2hdkc-agent run/, NOTHING],
    ['an unknown word', ['walk'], EXIT.usage, NOTHING, /^k2hdkc-agent: .*--help\n$/],
    [
      'a missing folder',
      ['run', '--config-dir', '/none'],
      78,
      NOTHING,
      /^k2hdkc-agent: .*\/none.*\n$/,
    ],
  ])('answers %s, and says nothing else', async (_, words, code, stdout, stderr) => {
    const ending = await runAgent(words, PATH);
    expect(ending.stderr).toMatch(stderr);
    expect(ending.stdout).toMatch(stdout);
    expect(ending.code).toBe(code);
  });

  it('says that no agent runs, and nothing else', async () => {
    const directory = await temporaryDirectory();
    const config = path.join(directory, 'agent.yaml');
    await writeFile(config, `paths: { state_dir: ${directory} }\n`);
    const { code, stdout, stderr } = await runAgent(['status', '--config', config], PATH);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^NO AGENT RUNS .*\n$/);
    expect(code).toBe(EXIT.notRunning);
  });

  it('makes a server of a VM, answers Trove, ends in good order, and logs as usual', async () => {
    const directory = await temporaryDirectory();
    const programs = await standIns(directory);
    const stage = await Stage.open(new Broker(inject('broker')), directory, programs);
    onTestFinished(() => stage.close());
    const folder = path.dirname(programs.program('chmpx'));
    const actor = await stage.actor('line', { environment: { PATH: `${folder}:${PATH}` } });
    await stage.prepare(actor, { clustered: true });
    await actor.vm.startAgent();
    await stage.trove.waitForStatus(actor.id, 'healthy', 45_000);
    await expect(stage.trove.api(actor.id, 'rpc_ping', {})).resolves.toBe(true);
    const [own = ''] = PATH.split(':');
    const node = await readlink(`/proc/${String(actor.vm.agentPid)}/exe`);
    expect(path.dirname(node)).toBe(own);

    expect(await actor.vm.endAgent('SIGTERM')).toBe(0);
    const lines = (await actor.vm.log()).trimEnd().split('\n');
    expect(lines.filter((text) => !/^<\d>/.test(text))).toEqual([]);
  });
});
