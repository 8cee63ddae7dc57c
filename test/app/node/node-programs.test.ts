import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { createNodePrograms } from '../../../src/app/node/node-programs.ts';
import { DesiredStateStore } from '../../../src/node/desired-state.ts';
import type { KeptProgram } from '../../../src/node/programs/kept-program.ts';
import { until } from '../../helpers/until.ts';
import { BOOT_ID } from '../../process/programs.ts';
import { configured } from '../configured.ts';
import { recordedWorld } from '../world.ts';

/** The programs of a node: scripts that run until they are told to end, or as `script` says. */
async function bench(script = 'exec sleep 1000') {
  const settings = await configured({
    agentYaml: 'cluster: { adopted_check_interval: 0.05, restart_first: 60 }\n',
  });
  const { paths, programs: commands } = settings.agent;
  await mkdir(paths.state_dir);
  for (const command of [commands.chmpx, commands.k2hdkc]) {
    await writeFile(command, `#!/bin/sh\n${script}\n`);
    await chmod(command, 0o755);
  }
  const { world, lines } = recordedWorld();
  let crashes = 0;
  const onCrash = (): number => ++crashes;
  const programs = createNodePrograms({
    ...world,
    settings,
    bootId: BOOT_ID,
    onCrash,
    desired: await DesiredStateStore.open(paths.state_dir),
  });
  const start = async (program: KeptProgram): Promise<void> => {
    await program.start('g1');
    const { running } = program;
    onTestFinished(async () => {
      running?.signal('SIGKILL');
      await running?.ended;
    });
  };
  return { ...programs, start, lines, crashes: () => crashes, paths };
}

it('a program that ends by itself is a crash, after which there is a pause', async () => {
  const { k2hdkc, restarts, start, crashes } = await bench('exit 3');
  await start(k2hdkc);
  await until('the crash is seen', () => crashes() === 1);
  expect(restarts.crashes).toBe(1);
  expect(restarts.waitMs).toBeGreaterThan(0);
});

it('chmpx ends by SIGHUP, because it ignores SIGTERM', async () => {
  const { chmpx, start, crashes } = await bench(`trap '' TERM; trap 'exit 0' HUP
    while :; do sleep 0.05; done`);
  await start(chmpx);
  await chmpx.stop();
  expect([chmpx.running, crashes()]).toEqual([null, 0]);
});

it('both are told of the ini, and k2hdkc has its chmpx library complain', async () => {
  const { chmpx, k2hdkc, start, paths, crashes, restarts } = await bench(
    'echo "$*, CHMDBGMODE=$CHMDBGMODE" >&2; exit 1',
  );
  await start(chmpx);
  await until('chmpx has said it', () => crashes() === 1);
  const words = `-conf ${paths.ini_file} -d err, CHMDBGMODE=`;
  expect(restarts.reason).toContain(words);
  expect(restarts.reason).not.toContain(`${words}ERR`);
  restarts.forgive();
  await start(k2hdkc);
  await until('k2hdkc has said it', () => crashes() === 2);
  expect(restarts.reason).toContain(`${words}ERR`);
});

it('what runs already is found by its ini', async () => {
  const first = await bench();
  await first.start(first.chmpx);
  const pid = first.chmpx.running?.identity.pid;
  expect(pid).toBeGreaterThan(0);
  expect(await first.k2hdkc.adopt('g1')).toBe(false);
  expect(first.crashes()).toBe(0);
});
