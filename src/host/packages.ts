import { randomBytes } from 'node:crypto';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { childEnvironment } from '../base/child-environment.ts';
import { AgentError, codeOf } from '../base/errors.ts';
import { hasOwnMounts, outside } from './outside.ts';

/** How one distribution installs packages and knows what it has. */
interface Manager {
  /** The command that must be on PATH. */
  command: string;
  /** Asks whether a package is there: exit code 0 means yes. */
  query: [string, ...string[]];
  /** Brings the lists of packages up to date; not every manager needs it. */
  refresh?: string[];
  install: string[];
}

const MANAGERS: readonly Manager[] = [
  {
    command: 'apt-get',
    query: ['dpkg', '-s', '--'],
    refresh: ['update', '--quiet'],
    install: ['install', '--yes', '--quiet', '--no-install-recommends', '--'],
  },
  { command: 'dnf', query: ['rpm', '-q', '--'], install: ['install', '--assumeyes', '--'] },
  { command: 'yum', query: ['rpm', '-q', '--'], install: ['install', '--assumeyes', '--'] },
  { command: 'apk', query: ['apk', 'info', '-e', '--'], install: ['add', '--'] },
];

/** An installation can wait for mirrors and for another manager's lock (ms). */
const INSTALL_TIMEOUT_MS = 900_000;
const QUERY_TIMEOUT_MS = 60_000;

/** The names that this system does not have installed; all of them when it has no manager. */
export async function missingPackages(names: readonly string[]): Promise<string[]> {
  const manager = await findManager();
  if (!manager) return [...names];
  const missing: string[] = [];
  for (const name of names) {
    const [command, ...args] = manager.query;
    const found = await run(command, [...args, name], QUERY_TIMEOUT_MS).then(
      () => true,
      () => false,
    );
    if (!found) missing.push(name);
  }
  return missing;
}

/**
 * Installs packages from the sources that this system is configured with; it never adds one. An agent
 * whose unit may not write to /usr has systemd do it.
 *
 * @throws AgentError with the last line that the package manager wrote.
 */
export async function installPackages(
  names: readonly string[],
  signal: AbortSignal,
  isSandboxed = hasOwnMounts(),
): Promise<void> {
  const manager = await findManager();
  if (!manager) {
    const known = MANAGERS.map(({ command }) => command).join(', ');
    throw new AgentError(`none of ${known} is on PATH: install ${names.join(', ')}`);
  }
  const { command, refresh, install } = manager;
  const how = { isSandboxed, signal };
  if (refresh) await run(command, refresh, INSTALL_TIMEOUT_MS, how);
  await run(command, [...install, ...names], INSTALL_TIMEOUT_MS, how);
}

/** Enables and starts systemd units. Throws as `installPackages`. */
export async function enableUnits(units: readonly string[], signal: AbortSignal): Promise<void> {
  await run('systemctl', ['enable', '--now', '--', ...units], QUERY_TIMEOUT_MS, { signal });
}

async function findManager(): Promise<Manager | undefined> {
  for (const manager of MANAGERS) if (await isOnPath(manager.command)) return manager;
  return undefined;
}

async function isOnPath(command: string): Promise<boolean> {
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    const there = access(path.join(folder, command), constants.X_OK);
    if (
      await there.then(
        () => true,
        () => false,
      )
    )
      return true;
  }
  return false;
}

async function run(
  command: string,
  args: string[],
  timeoutMs: number,
  { signal, isSandboxed = false }: { signal?: AbortSignal; isSandboxed?: boolean } = {},
): Promise<void> {
  const { execa } = await import('execa'); // 6 MiB that most agents never need
  const environment = { ...proxies(), DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
  const unit = `k2hdkc-guest-agent-${randomBytes(6).toString('hex')}.service`;
  const how = { unit, limitMs: timeoutMs, variables: Object.keys(environment) };
  const words: [string, string[]] = isSandboxed
    ? outside([command, ...args], how)
    : [command, args];
  const options = {
    stdin: 'ignore',
    extendEnv: false,
    env: childEnvironment(environment),
  } as const;
  try {
    const ends = signal === undefined ? {} : { cancelSignal: signal };
    await execa(...words, { ...options, timeout: timeoutMs, ...ends });
  } catch (error) {
    if (isSandboxed && signal?.aborted) {
      // systemd-run has ended, and what it has begun goes on.
      await execa('systemctl', ['stop', '--', unit], { ...options, reject: false });
    }
    throw new AgentError(`${command} ${args.join(' ')}: ${lastWords(error)}`, {
      cause: error,
      retryable: true,
    });
  }
}

/** Package managers reach their sources through these, and through nothing else of the environment. */
function proxies(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) =>
    /^(?:https?|ftp|all|no)_proxy$/i.test(name),
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

/** The last line that a failed command wrote, or why it did not run. */
function lastWords(error: unknown): string {
  const { stderr, shortMessage } = error as { stderr?: string; shortMessage?: string };
  const line = stderr?.trim().split('\n').at(-1) ?? '';
  return line === '' ? (shortMessage ?? codeOf(error) ?? 'failed') : line;
}
