import type { Logger } from '../../../src/base/log.ts';
import { parseAgentConfig } from '../../../src/config/load.ts';
import type { DesiredState } from '../../../src/node/desired-state.ts';
import type { Snapshot } from '../../../src/node/reconciler.ts';
import type { LeaveKind } from '../../../src/ring/change/leave.ts';
import type { Order } from '../../../src/ring/change/merge-order.ts';
import { randomFrom } from '../../helpers/random-from.ts';
import { desiredState } from '../../node/builders.ts';
import { Agent } from './agent.ts';
import { AutoMerge } from './auto-merge.ts';
import { Commands } from './commands.ts';
import { createDisk, type Disk } from './disk.ts';
import { Hosts } from './hosts.ts';
import type { Luck } from './luck.ts';
import { Machine } from './machine.ts';
import { Merges } from './merges.ts';
import { RingModel } from './ring-model.ts';
import type { Scenario } from './scenario.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What a cluster is made of, and who watches it. */
export interface ClusterOptions {
  scenario: Scenario;
  clock: VirtualClock;
  luck: Luck;
  logOf: (machine: Machine) => Logger;
  /** The ring has changed. */
  onChange: () => void;
  /** An agent gives an order, has looked, or takes its machine out of the role. */
  onOrder: (by: Machine, order: Order) => void;
  onLook: (agent: Agent, snapshot: Snapshot) => void;
  onUnregister: (machine: Machine) => void;
  onLeave: (machine: Machine, kind: LeaveKind, ms: number) => void;
}

/** How often an agent looks while something changes (s): a third of that while it is lively. */
const LOOK_S = 0.45;
const CONFIG = { ...parseAgentConfig('', 'agent.yaml').cluster, changing_status_interval: LOOK_S };

/** All machines of a ring, with their disks and agents. */
export class Cluster {
  readonly ring: RingModel;
  readonly hosts: Hosts;
  readonly #options: ClusterOptions;
  readonly #commands: Commands;
  readonly #disks = new Map<Machine, Disk>();
  readonly #agents = new Map<Machine, Agent>();
  /** What Trove asks of machines whose agent is dead: it hears that when it is back. */
  readonly #unheard = new Map<Machine, Partial<DesiredState>>();
  #agentsMade = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { clock, luck, scenario } = options;
    const machines = Array.from(scenario.machines, (id) => new Machine(id));
    const automatic = scenario.mode === 'automatic';
    this.ring = new RingModel({ clock, luck, automatic, machines });
    const merges = new Merges(this.ring);
    this.hosts = new Hosts(this.ring, merges);
    this.#commands = new Commands(this.ring, merges);
    const auto = automatic ? new AutoMerge(this.ring, merges, this.hosts, this.#commands) : null;
    this.ring.changed = () => {
      auto?.look();
      for (const agent of this.#agents.values()) agent.changed();
      options.onChange();
    };
  }

  /** Those that serve have done so for long; on the others an agent waits. */
  begin(): void {
    const { serving } = this.#options.scenario;
    for (const machine of this.ring.machines) {
      const serves = serving.includes(machine.id);
      const disk = createDisk(desiredState(serves ? {} : { phase: 'new', registration: null }));
      this.#disks.set(machine, disk);
      if (!serves) continue;
      this.ring.setRole(machine.id, true);
      this.hosts.place(machine, disk.current.generation);
    }
    this.ring.data.settle();
    this.ring.show();
    for (const machine of this.ring.machines) this.startAgent(machine);
  }

  /** What is wanted of a machine; undefined when it is gone for good. */
  desired(machine: Machine): DesiredState | undefined {
    return this.#disks.get(machine)?.current;
  }

  /** CUKs of those that it was in the ring with when it served last. */
  members(machine: Machine): ReadonlySet<string> {
    return this.#disks.get(machine)?.members ?? new Set();
  }

  /** Undefined when it is dead. */
  agent(machine: Machine): Agent | undefined {
    return this.#agents.get(machine);
  }

  startAgent(machine: Machine): void {
    const disk = this.#disks.get(machine);
    if (disk === undefined || this.#agents.has(machine)) return;
    const { clock, scenario, logOf, onOrder, onLook, onUnregister, onLeave } = this.#options;
    this.#agentsMade += 1;
    const agent = new Agent({
      ...{
        machine,
        disk,
        clock,
        onLook,
        onUnregister,
        onLeave,
        ring: this.ring,
        hosts: this.hosts,
      },
      cluster: { ...CONFIG, merge: scenario.mode },
      send: (order) => {
        onOrder(machine, order);
        return this.#commands.send(machine, order);
      },
      random: randomFrom(scenario.seed * 1_000 + this.#agentsMade),
      log: logOf(machine),
    });
    this.#agents.set(machine, agent);
    agent.run();
    const unheard = this.#unheard.get(machine);
    this.#unheard.delete(machine);
    if (unheard) void agent.wish(unheard);
  }

  killAgent(machine: Machine): void {
    this.#agents.get(machine)?.kill();
    this.#agents.delete(machine);
  }

  /** The VM is gone for good, with its disk. */
  destroy(machine: Machine): void {
    this.killAgent(machine);
    this.#disks.delete(machine);
    this.hosts.switchOff(machine);
  }

  /** Trove asks for something. */
  wish(machine: Machine, change: Partial<DesiredState>): void {
    const agent = this.#agents.get(machine);
    if (agent) void agent.wish(change);
    else this.#unheard.set(machine, { ...this.#unheard.get(machine), ...change });
  }
}
