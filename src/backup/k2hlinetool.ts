import { childEnvironment } from '../base/child-environment.ts';
import { AgentError } from '../base/errors.ts';
import { writeOnto, type Desk } from './desk.ts';

/** How a k2h file is laid out; it counts only when the file is made. Keys of [K2HDKC] of the ini. */
export interface K2hGeometry {
  maskBit: number;
  collisionMaskBit: number;
  maxElements: number;
  /** Bytes. */
  pageSize: number;
  fullMap: boolean;
}

/** One run of k2hlinetool. */
export interface K2hlinetoolRun {
  /** Name on PATH, or path, of the tool. */
  command: string;
  /** The list of commands is written there, and file names are relative to it. */
  desk: Desk;
  /** The k2h file; absolute, or on the desk. */
  file: string;
  /** How it is attached: for reading only, when it must be there already, or to be made so. */
  attach: 'read-only' | K2hGeometry;
  /** What it is told to do. `exit` is added: without it the tool waits for ever. */
  commands: readonly string[];
  /** Kills it. */
  signal?: AbortSignal | undefined;
}

/** What the tool prints for a few commands is short; more is a tool that has gone wrong (bytes). */
const MOST_KEY_TOOL_OUTPUT = 1_000_000;

/**
 * Runs k2hlinetool and returns what it printed. It exits 0 whatever happens and tells of failures
 * on stderr (docs/contracts/archive.md, 2.1), and of some not even there: the caller checks what is
 * then true.
 *
 * @throws AgentError when it cannot be started, was killed, or tells of an error; the signal's
 *   reason when that has ended it.
 */
export async function runK2hlinetool(run: K2hlinetoolRun): Promise<string> {
  const { command, desk, file, commands, signal } = run;
  const script = 'commands'; // in its own directory, whose path may be good in this process only
  await writeOnto(desk, script, [...commands, 'exit', ''].join('\n'));
  const { execa } = await import('execa'); // 6 MiB that not every command of ours needs
  const result = await execa(command, ['-f', file, ...attachOptions(run.attach), '-run', script], {
    cwd: desk.directory,
    ...(desk.user === null ? {} : { uid: desk.user.uid, gid: desk.user.gid }),
    extendEnv: false,
    env: childEnvironment(),
    reject: false,
    stdin: 'ignore',
    maxBuffer: MOST_KEY_TOOL_OUTPUT,
    killSignal: 'SIGKILL',
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  const [doing] = commands;
  const failed = (why: string): AgentError =>
    new AgentError(`${command} failed${doing ? ` at "${doing}"` : ''}: ${why}`);
  if (result.isMaxBuffer) throw failed('it prints without end');
  if (result.signal !== undefined) throw failed(`it was killed by ${result.signal}`);
  if (result.code !== undefined) {
    throw failed(`it cannot be started (${result.code}): install it, or set its path`);
  }
  const complaint = `${result.stderr}\n${result.stdout}`.split('\n').find(isComplaint);
  if (complaint !== undefined) throw failed(complaint.trim());
  if (result.exitCode !== 0) throw failed(`exit code ${result.exitCode ?? 'none'}`);
  return result.stdout;
}

function attachOptions(attach: K2hlinetoolRun['attach']): string[] {
  if (attach === 'read-only') return ['-ro'];
  const numbers = {
    mask: attach.maskBit,
    cmask: attach.collisionMaskBit,
    elementcnt: attach.maxElements,
    pagesize: attach.pageSize,
  };
  const words = Object.entries(numbers).flatMap(([name, value]) => [`-${name}`, String(value)]);
  return attach.fullMap ? [...words, '-fullmap'] : words;
}

function isComplaint(line: string): boolean {
  return /\[(?:ERR|ERROR)\]/.test(line);
}
