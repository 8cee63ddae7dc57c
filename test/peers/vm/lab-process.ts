import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { until } from '../../helpers/until.ts';
import { endOf, type ChildEnd } from '../child-end.ts';
import { signal, type ProcessIdentity } from '../processes.ts';
import { childrenOf, inside } from './namespaces.ts';

/** How a process is started in a VM. */
export interface RunOptions {
  /** Added to its environment, which otherwise is that of a fresh login of root. */
  env?: Record<string, string>;
  /** A file on the host that stdout and stderr are appended to. Without it they are pipes. */
  output?: string;
  /** Whether our own stdin, stdout and stderr are used, as for a shell. Default false. */
  terminal?: boolean;
  /** Whether its stdin is a pipe, that of `LabProcess.stdin`. Default false: there is nothing on it. */
  input?: boolean;
}

/** A process that was started in a VM, and the nsenter outside that waits for it. */
export class LabProcess {
  readonly ended: Promise<ChildEnd>;
  /** Undefined when the process had ended before it was seen. */
  readonly identity: ProcessIdentity | undefined;
  /** Null when the output goes elsewhere. */
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Null unless it was asked for. */
  readonly stdin: Writable | null;
  readonly #outside: ChildProcess;

  private constructor(
    outside: ChildProcess,
    identity: ProcessIdentity | undefined,
    output: Output,
  ) {
    this.#outside = outside;
    this.stdin = outside.stdin;
    this.stdin?.on('error', () => undefined); // its end is noticed elsewhere
    this.identity = identity;
    this.stdout = output.stdout;
    this.stderr = output.stderr;
    this.ended = endOf(outside); // nsenter ends as what it has started did, by the same signal too
  }

  /** Starts a command in the VM of this process 1; resolves when it runs. */
  static async start(
    init: number,
    command: string[],
    { env = {}, output, terminal = false, input = false }: RunOptions,
  ): Promise<LabProcess> {
    const [program = '', ...args] = inside(init, command);
    const file = output === undefined ? undefined : await open(output, 'a');
    try {
      const target = terminal ? 'inherit' : (file?.fd ?? 'pipe');
      const outside = spawn(program, args, {
        cwd: '/',
        env,
        stdio: [terminal ? 'inherit' : input ? 'pipe' : 'ignore', target, target],
        // A Ctrl-C in the terminal is for us, unless the terminal was given away.
        detached: !terminal,
      });
      const streams = keep(outside);
      await once(outside, 'spawn');
      const entered = await until(`${command.join(' ')} is in the VM`, () => entry(outside), {
        everyMs: 2,
      });
      return new LabProcess(outside, entered.identity, streams);
    } finally {
      await file?.close();
    }
  }

  /** Sends a signal to the process itself. Does nothing when it has ended. */
  signal(name: NodeJS.Signals): void {
    if (this.identity !== undefined && !hasEnded(this.#outside)) signal(this.identity, name);
  }
}

interface Output {
  stdout: Readable | null;
  stderr: Readable | null;
}

/** Node drops what a process wrote before its end unless somebody reads already. */
function keep({ stdout, stderr }: ChildProcess): Output {
  const copy = (stream: Readable | null): Readable | null =>
    stream?.pipe(new PassThrough()) ?? null;
  return { stdout: copy(stdout), stderr: copy(stderr) };
}

function entry(outside: ChildProcess): { identity: ProcessIdentity | undefined } | undefined {
  const [identity] = childrenOf(outside.pid ?? 0);
  return identity !== undefined || hasEnded(outside) ? { identity } : undefined;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
