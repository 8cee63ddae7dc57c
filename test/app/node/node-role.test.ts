import { mkdir, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { createNodeRole } from '../../../src/app/node/node-role.ts';
import { DesiredStateStore } from '../../../src/node/desired-state.ts';
import { KeptRole } from '../../../src/role/kept-role.ts';
import type { ClusterParameters } from '../../../src/trove/overrides.ts';
import { CUK1, roleText } from '../../ini/roles.ts';
import { desiredState, PARAMETERS, registrationFor } from '../../node/builders.ts';
import { configured } from '../configured.ts';
import { recordedWorld } from '../world.ts';

/** A registered node whose last good role is on disk, and the ini that it makes of it. */
async function restored(
  agentYaml: string,
  ports: Partial<ClusterParameters> = {},
  wanted?: ClusterParameters | null,
) {
  const settings = await configured({ agentYaml });
  const { state_dir: directory, instance_id_file: idFile } = settings.agent.paths;
  await mkdir(directory);
  await writeFile(idFile, `${CUK1}\n`);
  const parameters = { ...PARAMETERS, clusterName: 'mycluster', ...ports };
  const registration = { ...registrationFor(parameters), cuk: CUK1 };
  const desired = await DesiredStateStore.open(directory);
  const now = wanted === undefined ? parameters : wanted;
  await desired.update(desiredState({ parameters: now, registration }));
  const { world, texts } = recordedWorld();
  const kept = new KeptRole(directory, world.log);
  kept.keep({ of: registration.parametersKey, text: roleText('threeServers') });
  await kept.save();
  const { role } = await createNodeRole({
    ...world,
    settings,
    desired,
    onRole: () => undefined,
  });
  await role.restore(false);
  return { view: role.view(), texts };
}

it('makes the ini of the last good role, with the keys of agent.yaml', async () => {
  const { view, texts } = await restored('ini: { global: { RWTIMEOUT: 4321 } }\n');
  expect(texts).toEqual([]);
  expect(view).toMatchObject({ servers: 3, lacksSelf: false, problem: null });
  expect(view.ini?.text).toMatch(/^RWTIMEOUT *= *4321$/m);
});

it('refuses a role of other ports than those that are configured, Trove before agent.yaml', async () => {
  const others = 'cluster: { server_port: 9020, server_control_port: 9021 }\n';
  const { view: refused } = await restored(others);
  expect(refused.ini).toBeNull();
  const { view: taken } = await restored(others, { serverPort: 8020, serverControlPort: 8021 });
  expect(taken.problem).toBeNull();
  expect(taken.ini?.text).toMatch(/^CTLPORT *= *8021$/m);
});

it.each<[string, ClusterParameters | null]>([
  ['nothing', null],
  [
    'another cluster, with other ports',
    { ...PARAMETERS, clusterName: 'another', serverPort: 9020 },
  ],
])('a node that leaves its role for %s still knows who is in it, over a restart', async (_, to) => {
  const others = 'cluster: { server_control_port: 9021 }\n';
  const { view, texts } = await restored(others, { serverPort: 8020, serverControlPort: 8021 }, to);
  expect(texts).toEqual([]);
  expect(view.cuks.size).toBe(3);
  expect(view.ini?.text).toMatch(/^CTLPORT *= *8021$/m);
});
