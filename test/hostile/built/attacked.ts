import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inject } from 'vitest';
import type { StatusDocument } from '../../../src/node/status-document.ts';
import { projectRoot } from '../../helpers/project-root.ts';
import { Broker } from '../../peers/broker.ts';
import { standIns } from '../../story/programs.ts';
import { Stage, type Actor, type ActorOptions } from '../../story/stage.ts';

/** A built agent that serves, and that somebody attacks. */
export class Attacked {
  readonly stage: Stage;
  readonly actor: Actor;
  readonly #directory: string;

  private constructor(stage: Stage, actor: Actor, directory: string) {
    this.stage = stage;
    this.actor = actor;
    this.#directory = directory;
  }

  /**
   * @param meet is called before the agent gets to know of any peer.
   * @param broker the one of the run by default.
   */
  static async open(
    options: ActorOptions = {},
    meet: (stage: Stage) => Promise<void> = () => Promise.resolve(),
    broker = new Broker(inject('broker')),
  ): Promise<Attacked> {
    const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-attacked-'));
    const stage = await Stage.open(broker, directory, await standIns(directory));
    await meet(stage);
    const actor = await stage.actor('attacked', options);
    await actor.vm.startAgent();
    await stage.prepare(actor, { clustered: true });
    await stage.trove.waitForStatus(actor.id, 'healthy');
    await stage.trove.rpc(actor.id, 'cluster_complete');
    return new Attacked(stage, actor, directory);
  }

  async close(): Promise<void> {
    await this.stage.close();
    await rm(this.#directory, { recursive: true });
  }

  /** Whether Trove's own call is answered. */
  async answers(): Promise<boolean> {
    return (await this.stage.trove.api(this.actor.id, 'rpc_ping', {}, { timeout: 60 })) === true;
  }

  /** The PIDs of agent, chmpx and k2hdkc: what no attack changes. */
  get pids(): (number | undefined)[] {
    const { vm } = this.actor;
    return [vm.agentPid, vm.program('chmpx')?.pid, vm.program('k2hdkc')?.pid];
  }

  async status(): Promise<StatusDocument> {
    const text = await readFile(this.actor.vm.path('state/status.json'), 'utf8');
    return JSON.parse(text) as StatusDocument;
  }

  /** What `k2hdkc-agent status` prints, and its exit code. */
  async shownStatus(...words: string[]): Promise<{ code: number; text: string }> {
    const agent = path.join(projectRoot, 'bin/k2hdkc-agent');
    const args = ['status', '--config', this.actor.vm.path('agent.yaml'), ...words];
    return new Promise((resolve) => {
      execFile(agent, args, (error, stdout, stderr) => {
        resolve({ code: Number(error?.code ?? 0), text: `${stdout}${stderr}` });
      });
    });
  }

  /** The lines of the log since it had so many characters. */
  async linesSince(length: number): Promise<string[]> {
    return (await this.actor.vm.log()).slice(length).split('\n');
  }
}
