import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { JsonObject } from '../../src/oslo/envelope.ts';
import { KillLab, killAndStart, programs } from '../helpers/kill-lab.ts';
import { until } from '../helpers/until.ts';
import type { Actor, Stage } from '../story/stage.ts';

let lab: KillLab;
let stage: Stage;

beforeAll(async () => {
  lab = await KillLab.open(inject('broker'));
  stage = lab.stage;
});

afterAll(async () => {
  await lab.close();
});

describe('a request that comes again', () => {
  /** How often an operation was begun. */
  const begun = async ({ vm }: Actor): Promise<number> =>
    (await vm.log()).match(/operation starts.*operation=restart/g)?.length ?? 0;

  it('is not run again: at once, while it runs, after it, and after a kill', async () => {
    const { actor, caller } = await lab.serving('twice');
    const { vm } = actor;
    const call = caller.callFields();
    const request = caller.request('restart', {}, call);
    const answered = (): boolean => caller.replies.has(call._msg_id);

    await caller.send(request);
    await caller.send(request);
    await vm.untilLog(/operation starts.*operation=restart/);
    await caller.send(request);
    await until('the answer', answered);
    await caller.send(request);
    await caller.call('rpc_ping');
    expect(await begun(actor)).toBe(1);
    expect(caller.replies.get(call._msg_id)).toHaveLength(1);

    const before = programs(actor);
    const logged = await killAndStart(actor);
    await caller.send(request);
    await vm.untilLog(/a request came again after a restart of the agent/, logged);
    await caller.call('rpc_ping');
    expect(await begun(actor)).toBe(1);
    expect(programs(actor)).toEqual(before);
    await caller.close();
  });

  it('is not run twice when it comes again while the next agent finishes it', async () => {
    const { actor, caller } = await lab.serving('resumed');
    const { vm } = actor;
    const call = caller.callFields();
    const request = caller.request('restart', {}, call);
    await caller.send(request);
    await vm.untilLog(/operation starts.*operation=restart/);
    const logged = await killAndStart(actor);
    await vm.untilLog(/did not finish is continued/, logged);
    await caller.send(request);
    await until('the answer', () => caller.replies.has(call._msg_id));
    await caller.call('rpc_ping');
    const later = (await vm.log()).slice(logged);
    expect(later.match(/operation starts/g)).toHaveLength(1);
    await vm.untilServing();
    await caller.close();
  });
});

describe('killed after its last step, before the journal says so,', () => {
  /** Puts a request that is done back among those that are not. */
  async function forgetThatItIsDone({ vm }: Actor, request: JsonObject): Promise<void> {
    const id = String(request['_unique_id']);
    const journal = vm.path('state/journal');
    const names = await readdir(path.join(journal, 'done'));
    const name = names.find((one) => one.endsWith(`-${id}`)) ?? id;
    await rename(path.join(journal, 'done', name), path.join(journal, 'open', name));
    await writeFile(path.join(journal, 'open', name), JSON.stringify(request));
  }

  it.each<[string, (actor: Actor) => JsonObject, string]>([
    ['restart', () => ({}), 'healthy'],
    ['cluster_complete', () => ({}), 'healthy'],
    ['update_overrides', ({ overrides }) => ({ overrides, remove: false }), 'healthy'],
    ['stop_db', () => ({}), 'shutdown'],
    ['update_overrides', () => ({ overrides: {}, remove: true }), 'running'],
  ])('%s changes nothing more', async (method, args, status) => {
    const { actor, caller } = await lab.serving('forgotten');
    const { vm, id, cluster } = actor;
    const call = caller.callFields();
    const request = caller.request(method, args(actor), call);
    await caller.send(request);
    await until('the answer', () => caller.replies.has(call._msg_id));
    await stage.trove.waitForStatus(id, status);
    const before = {
      programs: programs(actor),
      hosts: stage.k2hr3.hosts(cluster),
      desired: await readFile(vm.path('state/desired.json'), 'utf8'),
      statuses: await stage.trove.statusHistory(id),
    };

    await vm.endAgent('SIGKILL');
    await forgetThatItIsDone(actor, request);
    const logged = (await vm.log()).length;
    await vm.startAgent();
    await vm.untilLog(/operation done/, logged);
    await until('the second answer', () => caller.replies.get(call._msg_id)?.length === 2);
    expect({
      programs: programs(actor),
      hosts: stage.k2hr3.hosts(cluster),
      desired: await readFile(vm.path('state/desired.json'), 'utf8'),
      statuses: await stage.trove.statusHistory(id),
    }).toEqual(before);
    await caller.close();
  });
});
