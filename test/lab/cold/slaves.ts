import { systemClock } from '../../../src/base/clock.ts';
import { until } from '../../helpers/until.ts';
import type { ClusterStage } from '../../story/cluster-stage.ts';
import { usesKeys } from '../../story/slave-keys.ts';
import type { Measured } from './run.ts';

/** What takes longer is stuck (s). */
const LIMIT_S = 60;

/**
 * Slaves of new VMs, one after the other. Each writes and reads its first keys as soon as its chmpx is
 * there to attach to; a first use that loses any of them counts as one that never ended.
 */
export async function playSlaves(
  stage: ClusterStage,
  count: number,
  say: (text: string) => void,
): Promise<Measured[]> {
  const rows: Measured[] = [];
  for (let number = 1; number <= count; number += 1) {
    const slave = await stage.createSlave();
    const since = systemClock.monotonic();
    const isUp = async (): Promise<boolean> => (await slave.ring())?.self.live === 'UP';
    const seconds = (): number => (systemClock.monotonic() - since) / 1000;
    await until('chmpx is up', isUp, { seconds: LIMIT_S, everyMs: 100 });
    const upAfter = seconds();
    const problem = await usesKeys(slave, `slave-${number}-`).then(
      () => null,
      (error: unknown) => String(error),
    );
    if (problem !== null) say(`${slave.name}: ${problem}`);
    const starts = (await slave.log()).split('started program=chmpx').length - 1;
    if (starts !== 1) say(`${slave.name}: chmpx was started ${starts} times`);
    rows.push({ what: 'slave up', seconds: upAfter });
    rows.push({ what: 'first use of a slave', seconds: problem === null ? seconds() : null });
    await slave.endAgent('SIGTERM');
    await stage.machines.remove(slave.machine);
  }
  return rows;
}
