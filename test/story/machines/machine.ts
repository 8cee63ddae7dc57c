import type { ProcessIdentity } from '../../peers/processes.ts';
import type { K2hr3StandIn } from '../../simulators/k2hr3/stand-in.ts';

/** A process that runs on a machine. */
export interface MachineProcess {
  readonly ended: Promise<unknown>;
  signal(name: NodeJS.Signals): void;
}

/** What a command on a machine printed, and how it ended. */
export interface MachineOutput {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** What a node of a cluster runs on. */
export interface Machine {
  readonly name: string;
  /** Another one after every reboot; undefined when it is off. */
  readonly boot: string | undefined;
  /** The path here of a file of the machine, which is named as on a VM: `/etc/trove/conf.d`. */
  path(file: string): string;
  /** The path of the same file as programs on the machine know it. */
  inside(file: string): string;
  /** What the agent on it must be told; nothing on a machine where all is where it should be. */
  readonly agentArgs: readonly string[];
  start(): Promise<void>;
  reboot(): Promise<void>;
  /** Starts a process; its output is appended to a file here. */
  run(command: string, args: readonly string[], output: string): Promise<MachineProcess>;
  /** Runs a command to its end, for at most `timeoutMs` (default 30 s). */
  exec(command: string, args: readonly string[], timeoutMs?: number): Promise<MachineOutput>;
  /** The process with this PID as programs on the machine know it, if it runs. */
  process(pid: number): ProcessIdentity | undefined;
}

/** The ports of a cluster, the same on every machine. */
export interface ClusterPorts {
  server: number;
  control: number;
  slaveControl: number;
}

/** Machines that reach each other, and peers that they reach. */
export interface Machines {
  /** For a person: what they are. */
  readonly description: string;
  /** Where the machines find the peers. */
  readonly hub: string;
  /** Makes the peers reachable: K2HR3, which sees each machine's own address, and a port of here. */
  connect(k2hr3: K2hr3StandIn, brokerPort: number): Promise<void>;
  /** Ports that are free on all of them. */
  ports(): Promise<ClusterPorts>;
  /** Makes a machine that is off. `instanceId` is its Nova id. */
  add(instanceId: string): Promise<Machine>;
  /** Switches a machine off for good. */
  remove(machine: Machine): Promise<void>;
  /** Switches all off. */
  close(): Promise<void>;
}
