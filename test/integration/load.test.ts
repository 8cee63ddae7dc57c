import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import { standIns } from '../story/programs.ts';
import { Stage } from '../story/stage.ts';

/** How many calls are under way at any moment. */
const CALLERS = 64;
const CALLS_OF_EACH = 10;
/** Seconds; Trove gives these calls 15 s. How quick answers are is a matter of `npm run bench:rpc`. */
const PATIENCE = 120;

let directory: string;
let stage: Stage;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-load-'));
  stage = await Stage.open(new Broker(inject('broker')), directory, await standIns(directory));
});

afterAll(async () => {
  await stage.close();
  await rm(directory, { recursive: true });
});

/** The operations as they began and ended, by the agent's log. */
function operationEvents(log: string): string[] {
  const lines = log.matchAll(/operation (starts|done|failed|interrupted).*?operation=(\w+)/g);
  return [...lines].map(([, event = '', name = '']) => `${name} ${event}`);
}

it(`answers ${CALLERS} callers while a prepare and other long operations run`, async () => {
  const { trove, k2hr3 } = stage;
  const agentYaml = 'k2hr3:\n  total_timeout: 1\n  retry_cap: 1\n';
  const actor = await stage.actor('busy', { agentYaml });
  const { id, vm, overrides } = actor;
  await vm.startAgent();
  await vm.untilLog(/AMQP session ready/);
  k2hr3.faults.delayMs = 60_000;
  await stage.prepare(actor, { clustered: true });
  await vm.untilLog(/operation starts.*operation=prepare/);
  const waiting = [
    trove.api(id, 'restart', {}),
    trove.api(id, 'update_overrides', { overrides, remove: false }),
  ];
  const accepted = (): Promise<string[]> => readdir(vm.path('state/journal/open'));
  await until('they are accepted', async () => (await accepted()).length === 3);

  const call = async (caller: number): Promise<void> => {
    for (let n = 0; n < CALLS_OF_EACH; n++) {
      const method = (caller + n) % 2 === 0 ? 'rpc_ping' : 'get_volume_info';
      const answer = await trove.api(id, method, {}, { timeout: PATIENCE });
      const isRight = answer === true || (answer as { total?: number }).total !== undefined;
      expect(isRight, method).toBe(true);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(caller)));
  // All of them, and the prepare that was there first still runs.
  expect(operationEvents(await vm.log())).toEqual(['prepare starts']);

  k2hr3.faults.delayMs = 0;
  await Promise.all(waiting);
  await trove.waitForStatus(id, 'healthy');
  expect(operationEvents(await vm.log())).toEqual([
    'prepare starts',
    'prepare done',
    'restart starts',
    'restart done',
    'update_overrides starts',
    'update_overrides done',
  ]);
});
