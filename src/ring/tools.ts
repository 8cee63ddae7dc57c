import { childEnvironment } from '../base/child-environment.ts';
import { AgentError } from '../base/errors.ts';
import { shown } from '../ini/model/problems.ts';
import { parseRingStatus, type RingStatus } from './status.ts';

/** How one of the AntPickax tools is run. */
export interface ToolOptions {
  /** Name on PATH, or path, of the tool. */
  command: string;
  /** Milliseconds after which it is killed. */
  timeoutMs: number;
  /** Added to this process's own environment. */
  env?: Record<string, string>;
  /** Runs it as this user. */
  user?: { uid: number; gid: number } | undefined;
}

/** A tool cannot be started. That says nothing about chmpx, as any other failure of a tool may. */
export class ToolMissingError extends AgentError {
  constructor(command: string, code: string) {
    const text = `${command}: cannot be started (${code}): install it, or set its path`;
    super(text, { retryable: true });
  }
}

/** A status of 300 nodes has 500 kB; a tool that prints more than this has gone wrong (characters). */
const MOST_STATUS_OUTPUT = 4_000_000;

/**
 * The ring as this node's chmpx sees it, read from shared memory: 9 ms, no network, chmpx does not
 * notice (docs/contracts/chmpx.md, 2.3). Null when chmpx does not run, which includes a chmpx that
 * was killed and left its shared memory behind. Throws when the tool cannot say: it is missing, too
 * slow, refuses the configuration, or prints what cannot be read.
 *
 * One call without `-self` prints this node and all others. Only the output counts, never the exit
 * code: chmpxstatus answers 1 for a missing file as well as for a chmpx that does not run, and
 * only what `-d err` adds tells the two apart.
 */
export async function readRingStatus(
  options: ToolOptions & { conf: string },
): Promise<RingStatus | null> {
  const { stdout, stderr } = await run(options, ['-conf', options.conf, '-d', 'err']);
  if (/^self chmpx = \{$/m.test(stdout)) return parseRingStatus(stdout);
  const complaints = linesOf(stderr, stdout);
  const configuration = complaints.find(isAboutConfiguration);
  const notRunning = complaints.some((line) => line.includes(NOT_ATTACHED));
  if (notRunning && configuration === undefined) return null;
  throw failed(options.command, configuration ?? lastComplaint(complaints));
}

/** What chmpxstatus says when there is no living chmpx behind the shared memory, or none at all. */
const NOT_ATTACHED = 'Could not initialize(attach) chmpx shared memory';
/** A line of the log of chmpx: `[ERR] …`. */
function isAboutConfiguration(line: string): boolean {
  const at = line.indexOf('ERR]');
  return at >= 0 && line.includes('configuration', at);
}

/** Follows every error and says nothing about it. */
const ADVICE = 'You can see detail about error';

/** Runs a tool to its end. Throws when it cannot be started or does not end in time. */
async function run(
  { command, timeoutMs, env, user }: ToolOptions,
  args: string[],
): Promise<{ stdout: string; stderr: string }> {
  const { execa } = await import('execa'); // 6 MiB and 50 ms that not every command of ours needs
  const result = await execa(command, args, {
    reject: false,
    stdin: 'ignore',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: MOST_STATUS_OUTPUT,
    extendEnv: false,
    env: childEnvironment(env),
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  if (result.timedOut) throw failed(command, `no answer within ${timeoutMs} ms`);
  if (result.isMaxBuffer) throw failed(command, 'it prints without end');
  if (result.code !== undefined) throw new ToolMissingError(command, result.code);
  if (result.signal !== undefined) throw failed(command, `it was killed by ${result.signal}`);
  return { stdout: result.stdout, stderr: result.stderr };
}

function linesOf(...texts: string[]): string[] {
  const lines = texts.flatMap((text) => text.split('\n')).map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith(ADVICE));
}

function lastComplaint(lines: readonly string[]): string {
  const last = lines.at(-1);
  return last === undefined ? 'it printed nothing' : `it says ${shown(last)}`;
}

function failed(command: string, why: string): AgentError {
  return new AgentError(`${command}: ${why}`, { retryable: true });
}
