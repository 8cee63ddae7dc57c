import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createNodeParts, type NodeParts } from '../../../src/app/node/node-parts.ts';
import { DesiredStateStore } from '../../../src/node/desired-state.ts';
import { until } from '../../helpers/until.ts';
import { BOOT_ID } from '../../process/programs.ts';
import { configured } from '../configured.ts';
import { recordedWorld } from '../world.ts';

/** The parts of a new node, whose programs are this shell text. */
async function bench(script = 'exec sleep 1000') {
  const settings = await configured({
    agentYaml: 'cluster: { adopted_check_interval: 0.05, restart_first: 60 }\n',
  });
  const { paths, programs } = settings.agent;
  await mkdir(paths.state_dir);
  for (const command of [programs.chmpx, programs.k2hdkc]) {
    await writeFile(command, `#!/bin/sh\n${script}\n`);
    await chmod(command, 0o755);
  }
  const desired = await DesiredStateStore.open(paths.state_dir);
  let crashes = 0;
  const { world } = recordedWorld();
  const parts = await createNodeParts({
    ...world,
    settings,
    desired,
    bootId: BOOT_ID,
    onRole: () => undefined,
    onCrash: () => (crashes += 1),
  });
  const start = async (name: 'chmpx' | 'k2hdkc'): Promise<void> => {
    await parts[name].start('g1');
    const { running } = parts[name];
    onTestFinished(async () => {
      running?.signal('SIGKILL');
      await running?.ended;
    });
  };
  return { parts, start, desired, paths, crashes: () => crashes };
}

/** What the node sees of a part. */
async function seenBy({ node }: NodeParts) {
  const { seen, memory } = await node.observe();
  return { ...seen, ...memory };
}

it('of a new VM are a node in which nothing runs and nothing is missing', async () => {
  const { parts } = await bench();
  expect(await seenBy(parts)).toMatchObject({
    chmpx: null,
    k2hdkc: null,
    status: null,
    volumeMounted: true,
    crashes: 0,
    unreadMs: 0,
    giveIn: null,
    volumeProblem: null,
    leave: { is: 'idle' },
    role: { ini: null },
  });
});

it('are the ones that the node looks at', async () => {
  const { parts, start } = await bench();
  await start('k2hdkc');
  expect(await seenBy(parts)).toMatchObject({ chmpx: null, k2hdkc: { generation: 'g1' } });
});

it('tell of a crash, and the node remembers it', async () => {
  const { parts, start, crashes } = await bench('exit 3');
  await start('k2hdkc');
  await until('the crash is told', () => crashes() === 1);
  const { crashes: remembered, restartInMs } = await seenBy(parts);
  expect(remembered).toBe(1);
  expect(restartInMs).toBeGreaterThan(0);
});

it('mount the volume of the data when it is not there', async () => {
  const { parts, desired, paths } = await bench();
  const mountPoint = path.join(paths.state_dir, 'data');
  await desired.update({ volume: { device: '/dev/no-such-device', mountPoint, uuid: null } });
  expect(await seenBy(parts)).toMatchObject({ volumeMounted: false, volumeRetryInMs: 0 });
  await parts.node.act({ do: 'mount-volume' }, new AbortController().signal);
  const { volumeProblem, volumeRetryInMs } = await seenBy(parts);
  expect(volumeProblem).toContain('/dev/no-such-device is not there');
  expect(volumeRetryInMs).toBeGreaterThan(0);
});
