import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { findProcesses } from '../../../src/process/identity.ts';
import { SmallDisk, type DiskTrouble } from '../../helpers/small-disk.ts';
import { until } from '../../helpers/until.ts';
import { Broker } from '../../peers/broker.ts';
import { standIns } from '../../story/programs.ts';
import { Stage, type Actor } from '../../story/stage.ts';

const TROUBLES: DiskTrouble[] = ['full', 'read-only'];

let directory: string;
let stage: Stage;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-disk-'));
  stage = await Stage.open(new Broker(inject('broker')), directory, await standIns(directory));
});

afterAll(async () => {
  await stage.close();
  await rm(directory, { recursive: true });
});

/** The agent and both programs end at once, and what starts next is in another boot. */
async function powerCut({ vm }: Actor): Promise<void> {
  await vm.endAgent('SIGKILL');
  for (const name of ['k2hdkc', 'chmpx'] as const) vm.kill(name);
  await until(
    'both are gone',
    () => findProcesses((argv) => argv.includes(vm.iniFile)).length === 0,
  );
  await writeFile(vm.path('state/journal/boot'), 'the boot before');
}

describe.each(TROUBLES)('a boot with a state directory that is %s', (trouble) => {
  it('brings the node back, and refuses operations by reason until it is mended', async (test) => {
    const actor = await stage.actor(`boot-${trouble}`);
    const { vm, id } = actor;
    const disk = SmallDisk.mount(vm.path('state'), 1_024);
    if (disk === null) return test.skip();
    try {
      await stage.prepare(actor, { clustered: true });
      await vm.startAgent();
      await stage.trove.waitForStatus(id, 'healthy');
      await stage.trove.rpc(id, 'cluster_complete');
      await powerCut(actor);
      await disk.break(trouble);

      const logged = (await vm.log()).length;
      await vm.startAgent();
      await vm.untilServing();
      const line = await vm.untilLog(/the journal cannot be written/, logged);
      expect(line).toContain(
        `cannot write ${vm.path('state/journal/boot')}: the file system of ${vm.path('state')} (small) is ${trouble}`,
      );
      expect(await stage.trove.api(id, 'rpc_ping', {})).toBe(true);
      if (trouble === 'full') {
        // What is removed now makes room.
        await until('all is said again', () => !existsSync(vm.path('state/said.json')));
        await disk.break(trouble);
      }
      await expect(stage.trove.api(id, 'restart', {})).rejects.toThrow(
        /restart is refused, it cannot be stored on this VM: cannot write .*journal/,
      );
      disk.mend();
      await stage.trove.api(id, 'restart', {});
    } finally {
      await vm.destroy();
      disk.unmount();
    }
  });
});
