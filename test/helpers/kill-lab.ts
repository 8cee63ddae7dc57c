import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import type { JsonObject } from '../../src/oslo/envelope.ts';
import { Broker, type BrokerDescription } from '../peers/broker.ts';
import type { ProcessIdentity } from '../peers/processes.ts';
import { standIns } from '../story/programs.ts';
import { Stage, type Actor } from '../story/stage.ts';
import { RawCaller } from './raw-caller.ts';

/** A stage for tests that kill agents. */
export class KillLab {
  readonly stage: Stage;
  readonly #directory: string;

  private constructor(stage: Stage, directory: string) {
    this.stage = stage;
    this.#directory = directory;
  }

  static async open(broker: BrokerDescription): Promise<KillLab> {
    const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-kill-'));
    const stage = await Stage.open(new Broker(broker), directory, await standIns(directory));
    return new KillLab(stage, directory);
  }

  async close(): Promise<void> {
    await this.stage.close();
    await rm(this.#directory, { recursive: true });
  }

  /** An agent that consumes. */
  async started(name: string, overrides: JsonObject = {}): Promise<Actor> {
    const actor = await this.stage.actor(name, { overrides });
    await actor.vm.startAgent();
    await actor.vm.untilLog(/AMQP session ready/);
    return actor;
  }

  /** A member of a cluster that is in service and whose installation is not over, and a caller. */
  async serving(name: string): Promise<{ actor: Actor; caller: RawCaller }> {
    const { stage } = this;
    const actor = await this.started(name);
    const { id, secrets } = actor;
    await stage.prepare(actor, { clustered: true });
    await stage.trove.waitForStatus(id, 'healthy');
    const transportUrl = stage.broker.url(stage.vhost);
    const key = secrets[0] ?? null;
    return { actor, caller: await RawCaller.open({ transportUrl, exchange: 'trove', id, key }) };
  }

  /** Each status is newer than the one before, whichever agent sent it. */
  async expectSentIncreases({ id }: Actor): Promise<void> {
    const published = await this.stage.trove.published(id);
    const beats = published.filter(({ method }) => method === 'heartbeat');
    const sent = beats.map(({ args }) => args['sent'] as number);
    expect(sent).toEqual([...new Set(sent)].sort((a, b) => a - b));
  }
}

/** Kills the agent and starts another. Resolves with the length of the log until then. */
export async function killAndStart({ vm }: Actor): Promise<number> {
  await vm.endAgent('SIGKILL');
  const logged = (await vm.log()).length;
  await vm.startAgent();
  return logged;
}

/** What the journal holds that is not done. */
export function openEntries({ vm }: Actor): Promise<string[]> {
  return readdir(vm.path('state/journal/open'));
}

/** chmpx and k2hdkc. */
export function programs({ vm }: Actor): (ProcessIdentity | undefined)[] {
  return [vm.program('chmpx'), vm.program('k2hdkc')];
}
