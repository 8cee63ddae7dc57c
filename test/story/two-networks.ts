import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';
import { Broker, type BrokerDescription } from '../peers/broker.ts';
import { Lab } from '../peers/vm/lab.ts';
import type { ClusterMember } from './cluster-member.ts';
import { ClusterStage } from './cluster-stage.ts';
import { TwoNetworkMachines, type TwoNetworksOptions } from './machines/two-network-machines.ts';
import { realPrograms, standIns } from './programs.ts';

/**
 * A cluster on VMs as Trove makes them, in two networks, and all that it needs; taken down when the test is
 * over. `K2HDKC_TEST_SUBJECT=real` has it played by the real programs on PATH.
 */
export async function openTwoNetworks(
  broker: BrokerDescription,
  options: TwoNetworksOptions & { agentYaml?: string } = {},
) {
  const isReal = process.env['K2HDKC_TEST_SUBJECT'] === 'real';
  const directory = await temporaryDirectory();
  await mkdir(path.join(directory, 'cluster'));
  const programs = isReal ? await realPrograms() : await standIns(directory);
  const folder = path.dirname(programs.program('chmpx'));
  const lab = await Lab.open(path.join(directory, 'lab'), { programs: folder });
  const machines = await TwoNetworkMachines.open(lab, options);
  const stage = await ClusterStage.open(
    new Broker(broker),
    machines,
    path.join(directory, 'cluster'),
    { agentYaml: options.agentYaml ?? '' },
  );
  onTestFinished(async () => {
    await machines.close();
    await stage.close();
  });
  /** A slave that Trove has not made: it has a port in the user's network alone. */
  const slaveOfUser = async (servers: number): Promise<ClusterMember> => {
    machines.onlyUsers = true;
    const slave = await stage.createSlave();
    machines.onlyUsers = false;
    const follows = (): Promise<boolean> => slave.followsServing(servers);
    await until('the slave follows', follows, { seconds: 120, everyMs: 100 });
    return slave;
  };
  return { lab, machines, stage, slaveOfUser };
}
