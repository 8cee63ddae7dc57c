import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { findProcesses } from '../../src/process/identity.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { realPrograms, standIns, type Programs } from '../story/programs.ts';
import { Stage, type Actor } from '../story/stage.ts';

let directory: string;
let programs: Programs;
let stage: Stage;
let actor: Actor;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-strays-'));
  const isReal = process.env['K2HDKC_TEST_SUBJECT'] === 'real';
  programs = isReal ? await realPrograms() : await standIns(directory);
  stage = await Stage.open(new Broker(inject('broker')), directory, programs);
  actor = await stage.actor('strays');
  await actor.vm.startAgent();
  await stage.prepare(actor, { clustered: true });
  await stage.trove.waitForStatus(actor.id, 'healthy');
});

afterAll(async () => {
  await stage.close();
  await rm(directory, { recursive: true });
});

/** Every chmpx that has this node's ini. */
const allChmpx = (): number[] =>
  findProcesses(
    (argv) =>
      argv.includes(actor.vm.iniFile) &&
      argv.slice(0, 2).some((word) => path.basename(word) === 'chmpx'),
  );

it('leaves nothing of a killed chmpx behind', async () => {
  const { vm, cluster } = actor;
  for (const round of [1, 2]) {
    const before = vm.program('chmpx');
    vm.kill('chmpx');
    await until(`another chmpx, ${round}`, () => {
      const now = vm.program('chmpx');
      return now !== undefined && now.pid !== before?.pid;
    });
    await vm.untilServing();
  }
  const files = await readdir(programs.sharedDirectory);
  expect(files.filter((name) => name.startsWith(`${cluster}-`) && name.includes('.bup'))).toEqual(
    [],
  );
});

it('adopts a chmpx that somebody started by hand with our ini, and never doubles it', async () => {
  const { vm } = actor;
  await vm.endAgent('SIGTERM');
  vm.kill('k2hdkc');
  vm.kill('chmpx');
  await until('both are gone', () => allChmpx().length === 0);
  const stray = spawn(programs.program('chmpx'), ['-d', 'silent', '-conf', vm.iniFile], {
    env: { ...process.env, ...programs.environment },
    stdio: 'ignore',
    detached: true,
  });
  await once(stray, 'spawn');
  await vm.startAgent();
  await until('it is adopted', () => vm.program('chmpx')?.pid === stray.pid);
  await vm.untilServing();
  expect(allChmpx()).toEqual([stray.pid]);
});

it('refuses to start beside another program on our ports, and says which', async () => {
  const { vm, id, overrides } = actor;
  await stage.trove.api(id, 'stop_db', {});
  const port = Number(overrides['chmpx-server-port']);
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  const refused = stage.trove.api(id, 'restart', {});
  await expect(refused).rejects.toThrow(`port ${port} is in use by PID ${process.pid} (`);
  await stage.trove.waitForStatus(id, 'crashed');
  expect(allChmpx()).toEqual([]);
  expect(await vm.log()).toMatch(new RegExp(`a crash loop; .*port ${port} is in use`));
  other.close();
  await stage.trove.api(id, 'restart', {});
  await vm.untilServing();
});

it('reports a second chmpx beside the one that is kept, and starts no third', async () => {
  const { vm } = actor;
  const kept = vm.program('chmpx');
  const second = spawn(programs.program('chmpx'), ['-d', 'silent', '-conf', vm.iniFile], {
    env: { ...process.env, ...programs.environment },
    stdio: 'ignore',
    detached: true,
  });
  await once(second, 'spawn');
  const line = `a second chmpx runs with our ini beside PID ${kept?.pid}, which is kept: two of them ruin each other; end it: kill -HUP ${second.pid}`;
  await until('it is reported', async () => (await vm.log()).includes(line));
  expect(allChmpx()).toHaveLength(2);
  const gone = once(second, 'exit');
  second.kill('SIGKILL');
  await gone;
  await until('its end is, too', async () => (await vm.log()).includes('the other one is gone'));
});
