import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { Lab } from '../peers/vm/lab.ts';
import { namespacesPermitted } from '../peers/vm/permitted.ts';
import type { ClusterMember } from '../story/cluster-member.ts';
import { ClusterStage } from '../story/cluster-stage.ts';
import { LabMachines } from '../story/machines/lab-machines.ts';
import { realPrograms, standIns } from '../story/programs.ts';

const reason = namespacesPermitted();
if (reason !== null) process.stderr.write(`simulated VMs are not permitted here: ${reason}\n`);

/** `K2HDKC_TEST_SUBJECT=real` has it played by the real programs on PATH. */
const isReal = process.env['K2HDKC_TEST_SUBJECT'] === 'real';
/** Without the rule each would make its ring after half a second, long before a server counts as down. */
const AGENT = 'cluster: { gather_for: 0.5 }\n';

async function open() {
  const directory = await temporaryDirectory();
  await mkdir(path.join(directory, 'cluster'));
  const programs = isReal ? await realPrograms() : await standIns(directory);
  const folder = path.dirname(programs.program('chmpx'));
  const lab = await Lab.open(path.join(directory, 'lab'), { programs: folder });
  const machines = new LabMachines(lab, isReal ? {} : { ANTPICKAX_STANDIN_HAZARDS: 'none' });
  const stage = await ClusterStage.open(
    new Broker(inject('broker')),
    machines,
    path.join(directory, 'cluster'),
    { agentYaml: AGENT },
  );
  return { lab, stage };
}

/** What concerns this node, in one text. */
async function concerns(node: ClusterMember): Promise<string> {
  return (await node.agentStatus()).stdout;
}

/** Waits until this node waits outside, and names each of those that it misses. */
async function waitsFor(node: ClusterMember, missing: readonly ClusterMember[]): Promise<void> {
  const named = async (): Promise<boolean> => {
    const text = await concerns(node);
    return (
      text.includes('making no ring without') &&
      missing.every(({ name }) => text.includes(`${name}.lab is down`))
    );
  };
  await until(`${node.name} names whom it misses`, named, { seconds: 180, everyMs: 200 });
  expect((await node.ring())?.self.ring).toBe('SERVICE OUT');
}

describe.runIf(reason === null)('a server that was in a ring', () => {
  it('makes none of its own when it boots while it is cut off', { timeout: 900_000 }, async () => {
    const { lab, stage } = await open();
    try {
      const [first, cut, last] = (await stage.createInstances(3)) as [
        ClusterMember,
        ClusterMember,
        ClusterMember,
      ];
      await stage.settled();
      const before = (await cut.log()).length; // it may have been the first to make it
      await lab.vm(cut.name).partition(true);
      await cut.reboot();
      await waitsFor(cut, [first, last]);
      await lab.vm(cut.name).partition(false);
      await stage.settled(stage.nodes, 300);
      expect((await cut.log()).slice(before)).not.toContain('making the ring');
    } finally {
      await lab.close();
      await stage.close();
    }
  });

  it(
    'makes it again with all others after a power cut, also without K2HR3',
    { timeout: 900_000 },
    async () => {
      const { lab, stage } = await open();
      try {
        const nodes = (await stage.createInstances(3)) as [
          ClusterMember,
          ClusterMember,
          ClusterMember,
        ];
        await stage.settled();
        stage.k2hr3.faults.resetConnections = Infinity;
        const [, second, third] = nodes;
        for (const { machine } of nodes) await lab.vm(machine.name).kill();
        for (const node of [second, third]) {
          await lab.vm(node.name).start();
          await node.startAgent();
        }
        await Promise.all([second, third].map((node) => waitsFor(node, [nodes[0]])));
        await lab.vm(nodes[0].name).start();
        await nodes[0].startAgent();
        await stage.settled(stage.nodes, 300);
      } finally {
        await lab.close();
        await stage.close();
      }
    },
  );
});
