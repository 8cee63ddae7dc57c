import { readFile } from 'node:fs/promises';
import path from 'node:path';
import pino from 'pino';
import { onTestFinished } from 'vitest';
import { DesiredStateStore, type DesiredState } from '../../src/node/desired-state.ts';
import { Membership } from '../../src/role/membership.ts';
import type { Observed } from '../../src/node/observed.ts';
import type { Action } from '../../src/node/plan/step.ts';
import { Reconciler } from '../../src/node/reconciler.ts';
import { readRoleDocument } from '../../src/role/role-document.ts';
import { RoleWatch } from '../../src/role/role-watch.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Secrets } from '../../src/base/secrets.ts';
import { IDLE, out, type Leave } from '../../src/ring/change/leave.ts';
import { publishIni } from '../../src/ini/text/publish.ts';
import { ROLE_FOLDERS } from '../ini/roles.ts';
import { desiredState, nothingRuns, observed, RUNS, TIMES } from '../node/builders.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';

/** A node of a test. Times in milliseconds. */
export interface RoleNodeOptions {
  extdataUrl: string;
  cluster: string;
  /** Where its calls come from, as `127.0.0.11`. */
  address: string;
  cuk: string;
  tag: string;
  totalTimeoutMs?: number;
  /** Continues what an earlier node has left in this directory. */
  directory?: string;
  /** Its programs run already. */
  runs?: boolean;
}

const FAST = { settledMs: 40, changingMs: 20, retryFirstMs: 20, retryCapMs: 100 };
const NODE_TIMES = {
  ...TIMES,
  ringStableMs: 0,
  joinAfterMs: 0,
  startSpacingMs: 0,
  stuckAfterMs: 60_000,
  changingMs: 10,
  settledMs: 20,
  watchMs: 60_000,
};

/**
 * What a node has to do with K2HR3, made of the agent's own parts: desired state, plan, reconciler,
 * membership, role watch and the ini on disk. Its chmpx and k2hdkc are two flags.
 */
export class RoleNode {
  /** Everything that was logged, one JSON object each. */
  readonly log: Record<string, unknown>[] = [];
  /** What the plan made the node do, oldest first. */
  readonly acts: string[] = [];
  readonly options: RoleNodeOptions;
  readonly directory: string;
  readonly desired: DesiredStateStore;
  readonly role: RoleWatch;
  readonly #membership: Membership;
  readonly #reconciler: Reconciler;
  readonly #ending = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #runs = false;
  /** Alone in its ring it has left as soon as it asks. */
  #leave: Leave = IDLE;

  private constructor(options: RoleNodeOptions, directory: string, desired: DesiredStateStore) {
    this.options = options;
    this.directory = directory;
    this.desired = desired;
    this.#runs = options.runs ?? false;
    const { address, cuk, tag, totalTimeoutMs = 5_000 } = options;
    const write = (line: string): void => {
      this.log.push(JSON.parse(line) as Record<string, unknown>);
    };
    const common = {
      clock: systemClock,
      random: Math.random,
      log: pino({ level: 'debug' }, { write }),
      // Another machine's, whatever the name: the nodes of a test share one.
      resolve: (name: string) => Promise.resolve(name.startsWith('unknown') ? [] : ['192.0.2.1']),
    };
    this.#membership = new Membership({
      ...common,
      desired,
      http: { clock: systemClock, localAddress: address, totalTimeoutMs },
      cuk: () => Promise.resolve(cuk),
      nodeName: () => Promise.resolve(tag),
      filesDirectory: directory,
      retry: { firstMs: 20, capMs: 200 },
      secrets: new Secrets(),
    });
    this.role = new RoleWatch({
      loopback: false,
      ...common,
      stateDirectory: directory,
      desired: () => desired.current,
      read: (...reading) => this.#membership.read(...reading),
      parse: (text, { registration, parameters }) => {
        if (!registration) throw new Error('no role is wanted now');
        const clusterName = parameters?.clusterName ?? '';
        return readRoleDocument(text, registration, { clusterName, folders: ROLE_FOLDERS });
      },
      whyOutside: () => Promise.resolve(null),
      pace: FAST,
      onChange: () => this.#reconciler.wake(),
    });
    this.#reconciler = new Reconciler({
      ...common,
      desired,
      node: { observe: () => this.#observe(), act: (...step) => this.#act(...step) },
      times: NODE_TIMES,
      onLook: () => undefined,
    });
    desired.onChange(() => this.role.hurry());
  }

  /** A node that wants to be in the cluster, until the test is over. */
  static async start(options: RoleNodeOptions): Promise<RoleNode> {
    const directory = options.directory ?? (await temporaryDirectory());
    const desired = await DesiredStateStore.open(directory);
    const node = new RoleNode(options, directory, desired);
    if (options.directory === undefined) await node.attach(options);
    await node.role.restore(false);
    const { signal } = node.#ending;
    node.#running = Promise.all([node.#reconciler.run(signal), node.role.run(signal)]);
    onTestFinished(() => node.stop());
    return node;
  }

  /** Ends the node as the end of its agent does: nothing is unregistered. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  /** Attaches a configuration group with this cluster and URL. */
  attach({ cluster, extdataUrl }: { cluster: string; extdataUrl: string }): Promise<void> {
    const parameters = { clusterName: cluster, extdataUrl };
    const { registration } = this.desired.current;
    return this.#reconciler.wish(desiredState({ parameters, registration }));
  }

  /** Changes what the node should be. */
  wish(change: Partial<DesiredState>): Promise<void> {
    return this.#reconciler.wish(change);
  }

  /** The ini on disk; undefined when there is none. */
  ini(): Promise<string | undefined> {
    return readFile(this.iniFile, 'utf8').catch(() => undefined);
  }

  get iniFile(): string {
    return path.join(this.directory, 'k2hdkc.ini');
  }

  /** Whether its programs run. */
  get runs(): boolean {
    return this.#runs;
  }

  /** Resolves with the ini when the programs run with a ring that holds this node. */
  untilServing(): Promise<string> {
    return until(
      `${this.options.tag} serves`,
      async () => {
        const ini = await this.ini();
        return this.#runs && ini?.includes(`CUK = ${this.options.cuk}\n`) ? ini : undefined;
      },
      { seconds: 120 },
    );
  }

  /** Resolves when the role cannot be used for a reason like this. */
  async untilProblem(problem: RegExp): Promise<void> {
    const isThere = (): boolean => problem.test(this.role.view().problem ?? '');
    await until(`a problem like ${String(problem)}`, isThere, { seconds: 120 });
  }

  /** How often the plan has asked for this. */
  countOf(action: string): number {
    return this.acts.filter((act) => act === action).length;
  }

  async #observe(): Promise<Observed> {
    const role = this.role.view();
    const change = {
      role,
      iniPublished: (role.ini?.text ?? null) === ((await this.ini()) ?? null),
      k2hr3Problem: this.#membership.problem,
      otherCluster: null,
      k2hr3RetryInMs: this.#membership.retryInMs,
      registrationSettlesInMs: this.#membership.settlesInMs,
      now: systemClock.wall(),
      leave: this.#leave,
    };
    const { generation } = this.desired.current;
    const program = { ...RUNS, generation };
    return this.#runs
      ? observed({ ...change, chmpx: program, k2hdkc: program })
      : nothingRuns(change);
  }

  async #act(action: Action, signal: AbortSignal): Promise<void> {
    this.acts.push(action.do);
    const { parameters } = this.desired.current;
    if (action.do === 'register' && parameters) {
      await this.#membership.register(parameters, signal);
      this.role.registered();
    } else if (action.do === 'unregister') {
      await this.#membership.unregister(signal);
    } else if (action.do === 'publish-ini') {
      await publishIni(this.iniFile, this.role.view().ini?.text ?? '');
    } else if (action.do === 'leave-ring') {
      this.#leave = out(action.kind);
    } else {
      if (action.do === 'start-chmpx') this.#leave = IDLE;
      this.#runs = action.do === 'start-chmpx';
    }
  }
}
