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

/** `K2HDKC_TEST_SUBJECT=real` has it played by the real programs on PATH: a cut of 90 s then. */
const isReal = process.env['K2HDKC_TEST_SUBJECT'] === 'real';
/** A connection that is cut ends 11 s after its last byte. */
const ENVIRONMENT = { ANTPICKAX_STANDIN_HAZARDS: 'none', ANTPICKAX_STANDIN_KEEPALIVE_MS: '11000' };

/** Whether this node sees a server down, or any if none is named. */
async function seesDown(node: ClusterMember, other?: ClusterMember): Promise<boolean> {
  const ring = await node.ring();
  return (
    ring?.servers.some(
      ({ live, cuk }) => live === 'DOWN' && (other === undefined || cuk === other.id),
    ) === true
  );
}

describe.runIf(reason === null)('a ring that a cut has split', () => {
  it('comes together when the network is whole', { timeout: 1_200_000 }, async () => {
    const directory = await temporaryDirectory();
    await mkdir(path.join(directory, 'cluster'));
    const programs = isReal ? await realPrograms() : await standIns(directory);
    const folder = path.dirname(programs.program('chmpx'));
    const lab = await Lab.open(path.join(directory, 'lab'), { programs: folder });
    const broker = new Broker(inject('broker'));
    const stage = await ClusterStage.open(
      broker,
      new LabMachines(lab, isReal ? {} : ENVIRONMENT),
      path.join(directory, 'cluster'),
      { agentYaml: 'cluster: { split_after: 5 }\n' },
    );
    try {
      const nodes = await stage.createInstances(3);
      await stage.settled();
      const [first, cut, last] = nodes as [ClusterMember, ClusterMember, ClusterMember];
      const slave = await stage.createSlave();
      const slaveFollows = (): Promise<boolean> => slave.followsServing(3);
      await until('the slave follows', slaveFollows, { seconds: 180 });
      const cutOff = async (isCut: boolean): Promise<void> => {
        for (const { name } of [cut, slave]) await lab.vm(name).partition(isCut);
      };
      const pids = (): Promise<(number | undefined)[]> =>
        Promise.all(nodes.map(async (node) => (await node.program('chmpx'))?.pid));
      const before = await pids();

      const isSplit = async (): Promise<boolean> =>
        (await seesDown(first, cut)) &&
        (await seesDown(last, cut)) &&
        (await seesDown(cut)) &&
        (await seesDown(slave, first)) &&
        (await seesDown(slave, last));
      const split = async (): Promise<boolean> => {
        await cutOff(true);
        await until('both sides take each other for down', isSplit, { seconds: 450, everyMs: 200 });
        await cutOff(false);
        await stage.settled();
        return (await cut.program('chmpx'))?.pid !== before[1];
      };
      // A server that loses its second connection too sees nobody, and comes back by itself: no split.
      for (let tries = 1; !(await split()); tries += 1) expect(tries).toBeLessThan(6);
      await until('the slave follows again', slaveFollows, { seconds: 360 });

      const after = await pids();
      expect(after.map((pid, n) => pid === before[n])).toEqual([true, false, true]);
      expect(await cut.log()).toMatch(/give-in why=.*the ring is split/);
      for (const node of [first, last]) expect(await node.log()).not.toContain('give-in');
    } finally {
      await lab.close();
      await stage.close();
    }
  });
});
