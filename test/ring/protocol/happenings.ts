import type { Clock } from '../../../src/base/clock.ts';
import type { DesiredState } from '../../../src/node/desired-state.ts';
import { desiredState } from '../../node/builders.ts';
import type { Cluster } from './cluster.ts';
import type { Leaves } from './leaves.ts';
import type { Machine } from './machine.ts';
import { inWords, type Happening } from './scenario.ts';

/** From a VM's end to its next agent (ms). */
const BOOT_MS = 2_000;

/** Trove shrinks its cluster by one, or takes the configuration group away. */
function leaveWish({ id }: Machine): Partial<DesiredState> {
  return 'bdf'.includes(id) ? { parameters: null } : { shrinking: { rejoinAt: Infinity } };
}

/** Makes happen what a scenario says. */
export class Happenings {
  readonly #cluster: Cluster;
  readonly #leaves: Leaves;
  readonly #clock: Clock;
  /** Something happens, which agents need time to deal with. */
  readonly #trouble: (what: string) => void;
  #pending = 0;

  constructor(
    parts: { cluster: Cluster; leaves: Leaves; clock: Clock },
    trouble: (what: string) => void,
  ) {
    this.#cluster = parts.cluster;
    this.#leaves = parts.leaves;
    this.#clock = parts.clock;
    this.#trouble = trouble;
  }

  /** How many are still to come. */
  get pending(): number {
    return this.#pending;
  }

  at(ms: number, what: Happening): void {
    this.#later(ms, () => {
      this.#trouble(`* ${inWords(what)}`);
      this.#happen(what);
    });
  }

  #later(ms: number, then: () => void): void {
    this.#pending += 1;
    this.#clock.after(ms, () => {
      this.#pending -= 1;
      then();
    });
  }

  #happen(what: Happening): void {
    const { ring } = this.#cluster;
    if (what.do === 'new-values') {
      ring.values += 1;
      ring.roleChangedAt = ring.now;
      return;
    }
    const machine = ring.machineOf({ name: what.of });
    if (what.do === 'take-out') ring.setRole(machine.id, false);
    else if (this.#cluster.desired(machine)) this.#happenTo(machine, what);
  }

  #happenTo(machine: Machine, what: Exclude<Happening, { do: 'new-values' | 'take-out' }>): void {
    const cluster = this.#cluster;
    switch (what.do) {
      case 'prepare':
        cluster.wish(machine, { phase: 'prepared', parameters: desiredState().parameters });
        break;
      case 'leave':
        this.#leaves.begins(machine, 'leave');
        cluster.wish(machine, leaveWish(machine));
        break;
      case 'stop-db':
        this.#leaves.begins(machine, 'stop-db');
        cluster.wish(machine, { stopped: { bootId: null } });
        break;
      case 'restart':
        this.#leaves.forget(machine);
        cluster.wish(machine, { generation: `g${this.#clock.monotonic()}`, stopped: null });
        break;
      case 'crash':
        cluster.hosts.end(machine, what.program, true);
        break;
      case 'kill-agent':
        cluster.killAgent(machine);
        this.#back(machine, what.forMs);
        break;
      case 'reboot':
        cluster.killAgent(machine);
        cluster.hosts.switchOff(machine);
        this.#back(machine, what.forMs);
        break;
      case 'boot-cut-off':
        cluster.killAgent(machine);
        cluster.hosts.switchOff(machine);
        cluster.hosts.cutOff(machine);
        this.#back(machine, BOOT_MS);
        this.#later(BOOT_MS + what.forMs, () => {
          this.#trouble(`* ${machine.id} reaches the others`);
          cluster.hosts.connect(machine);
        });
        break;
      case 'die':
        this.#leaves.forget(machine);
        cluster.destroy(machine);
        break;
      case 'hang':
        machine.nextHang = what.by;
    }
  }

  /** Its agent comes back, which takes up the operation that was under way. */
  #back(machine: Machine, afterMs: number): void {
    this.#later(afterMs, () => {
      this.#trouble(`* ${machine.id} is back`);
      machine.isOff = false;
      this.#cluster.startAgent(machine);
      if (this.#leaves.has(machine)) this.#cluster.wish(machine, {});
    });
  }
}
