import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { readKeys, writeKeys } from '../helpers/ring-keys.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import type { ClusterMember } from '../story/cluster-member.ts';
import { CLUSTER, ClusterStage } from '../story/cluster-stage.ts';
import { openMachines } from '../story/machines/open.ts';
import { realPrograms, standIns } from '../story/programs.ts';

const KEYS = 60;
const INI = '/etc/antpickax/k2hdkc.ini';
/** `K2HDKC_TEST_SUBJECT=real` has it played by the real programs on PATH, on simulated VMs. */
const isReal = process.env['K2HDKC_TEST_SUBJECT'] === 'real';

type Pids = (number | undefined)[];

const pidsOf = (nodes: ClusterMember[], name: 'chmpx' | 'k2hdkc'): Promise<Pids> =>
  Promise.all(nodes.map(async (node) => (await node.program(name))?.pid));

/** Watches until the check passes, and tells the most servers that were without k2hdkc at a time. */
async function mostAway(nodes: ClusterMember[], over: () => Promise<boolean>): Promise<number> {
  let most = 0;
  await until(
    'the change is over',
    async () => {
      const pids = await pidsOf(nodes, 'k2hdkc');
      most = Math.max(most, pids.filter((pid) => pid === undefined).length);
      return over();
    },
    { seconds: 450, everyMs: 30 },
  );
  return most;
}

it('a new ini whose keys count from a start on', { timeout: 1_200_000 }, async () => {
  const directory = await temporaryDirectory();
  await mkdir(path.join(directory, 'cluster'));
  const machines = await openMachines(
    path.join(directory, 'machines'),
    isReal ? await realPrograms() : await standIns(directory),
    { loopback: !isReal },
    { ANTPICKAX_STANDIN_HAZARDS: 'none' },
  );
  const broker = new Broker(inject('broker'));
  const stage = await ClusterStage.open(broker, machines, path.join(directory, 'cluster'));
  const inis = (nodes: ClusterMember[]): Promise<string[]> =>
    Promise.all(nodes.map(({ machine }) => readFile(machine.path(INI), 'utf8')));
  const change = (...edits: [string, string][]): void => {
    stage.k2hr3.changeTemplate(CLUSTER, (text) =>
      edits.reduce(
        (edited, [key, value]) =>
          edited.replace(new RegExp(`^(${key} +=) .*$`, 'm'), `$1 ${value}`),
        text,
      ),
    );
  };
  try {
    const nodes = await stage.createInstances(3);
    const [first, , last] = nodes as [ClusterMember, ClusterMember, ClusterMember];
    await stage.settled();
    const chmpx = await pidsOf(nodes, 'chmpx');
    const k2hdkc = await pidsOf(nodes, 'k2hdkc');

    // What chmpx takes over is there at once, and starts nothing.
    change(['RWTIMEOUT', '20000']);
    await until('the new ini', async () =>
      (await inis(nodes)).every((ini) => ini.includes('\nRWTIMEOUT = 20000\n')),
    );

    // A key of k2hdkc: out of the ring, both programs, and back in, one server after the other; also
    // by an agent that starts meanwhile. The data moves out and back: every key is found.
    const keyTool = isReal ? await stage.createSlave() : first;
    const tool = (lines: readonly string[]): Promise<string> => keyTool.keyTool(lines);
    if (isReal) await until('the slave follows', () => keyTool.followsServing(3));
    expect(await writeKeys(tool, 'roll', KEYS)).toBe(KEYS);
    change(['RWTIMEOUT', '20000'], ['MAXTHREAD', '30']);
    await until('the last node knows', async () =>
      (await last.log()).includes('keys of the new ini count from a start on'),
    );
    await last.endAgent('SIGKILL');
    await last.startAgent();
    const areNew = async (name: 'chmpx' | 'k2hdkc', old: Pids): Promise<boolean> =>
      (await pidsOf(nodes, name)).every((pid, n) => pid !== undefined && pid !== old[n]);
    const bothNew = async (): Promise<boolean> =>
      (await areNew('chmpx', chmpx)) && (await areNew('k2hdkc', k2hdkc));
    expect(await mostAway(nodes, bothNew)).toBeLessThanOrEqual(1);
    await stage.settled();
    for (const ini of await inis(nodes)) expect(ini).toContain('\nMAXTHREAD = 30\n');
    for (const node of nodes) {
      expect(await node.log()).toContain(
        'new values of [K2HDKC] MAXTHREAD: leaving the ring first',
      );
    }
    expect(await readKeys(tool, 'roll', KEYS)).toEqual({ found: KEYS, missing: 0, failed: 0 });

    // All is as it should be: an agent that starts anew restarts nothing.
    const settled = await pidsOf(nodes, 'k2hdkc');
    await first.endAgent('SIGTERM');
    const before = (await first.log()).length;
    await first.startAgent();
    const since = async (): Promise<string> => (await first.log()).slice(before);
    await until('it has looked at its node', async () =>
      (await since()).includes('node state state=serving'),
    );
    expect(await since()).not.toContain('count from a start on');
    expect(await pidsOf(nodes, 'k2hdkc')).toEqual(settled);
  } finally {
    await machines.close();
    await stage.close();
  }
});
