import { chmod, readFile, writeFile } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { openAgentState } from '../../../src/app/agent-state.ts';
import { createNodeAgent } from '../../../src/app/node/node-agent.ts';
import { runParts } from '../../../src/app/running.ts';

import { statusFile } from '../../../src/node/status-file.ts';
import { until } from '../../helpers/until.ts';
import { configured, configuredSlave } from '../configured.ts';
import { recordedWorld } from '../world.ts';

/** The node of a new VM, whose programs are scripts that do nothing. */
async function bench(mode: 'server' | 'slave') {
  const settings = mode === 'slave' ? await configuredSlave() : await configured();
  const { paths, programs } = settings.agent;
  for (const command of [programs.chmpx, programs.k2hdkc]) {
    await writeFile(command, '#!/bin/sh\nexec sleep 1000\n');
    await chmod(command, 0o755);
  }
  const { world } = recordedWorld();
  const state = await openAgentState(paths.state_dir);
  onTestFinished(state.unlock);
  let looks = 0;
  const make = () =>
    createNodeAgent({
      ...world,
      settings,
      state,
      version: '1.2.3',
      onLook: () => looks++,
    });
  return { make, looks: () => looks, directory: state.directory };
}

it('looks at the node again and again, and keeps what it sees', async () => {
  const { make, looks, directory } = await bench('server');
  const node = await make();
  await node.takeUp();
  const running = runParts(node.parts, new AbortController());
  await until('it has looked', () => looks() > 0);
  const status = await until('the status is on disk', () =>
    readFile(statusFile(directory), 'utf8').catch(() => null),
  );
  expect(JSON.parse(status)).toMatchObject({ mode: 'server', agent: { version: '1.2.3' } });
  await running.end();
});

it.each([
  ['server', ['chmpx', 'k2hdkc']],
  ['slave', ['chmpx']],
] as const)('of a %s takes up the programs that run: %j', async (mode, expected) => {
  const { make } = await bench(mode);
  const before = await make();
  for (const program of [before.chmpx, before.k2hdkc]) {
    await program.start('g1');
    const { running } = program;
    onTestFinished(async () => {
      running?.signal('SIGKILL');
      await running?.ended;
    });
  }
  const next = await make();
  await next.takeUp();
  const taken = [next.chmpx, next.k2hdkc].filter(({ running }) => running !== null);
  expect(taken).toEqual(expected.map((name) => next[name]));
});
