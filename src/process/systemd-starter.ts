import { execFile } from 'node:child_process';
import { constants } from 'node:os';
import { promisify } from 'node:util';
import { AgentError, messageOf } from '../base/errors.ts';
import { childEnvironment } from '../base/child-environment.ts';
import type { SystemUser } from '../host/system-user.ts';
import { cannotExecute } from './cannot-execute.ts';
import { joinLines } from './last-lines.ts';
import type { ProcessEnd, ProgramSpec } from './launcher.ts';
import type { Started, Starter } from './starter.ts';

const execute = promisify(execFile);

/** How long systemd and the journal may take for an answer (ms). */
const SYSTEMD_ANSWER_MS = 20_000;
/** How long the programs may take to stop when the VM is shut down, in seconds. */
const STOP_SECONDS = 20;
/** What systemd says when there is no such program, or it is not executable (exit codes 203, 127). */
const NOT_FOUND = /Failed to find executable|Failed at step EXEC|203\/EXEC|No such file/;

/** What it says when /run is full. */
const NO_SPACE = /No space left on device/;

/** What it says when an earlier run still has the name of the unit. */
const TAKEN = /already loaded|already exists/;

/**
 * Has systemd start each program as a unit of its own: never a child of the agent or of its sandbox,
 * with its own limits, OOM score, journal identifier and the mounts of process 1. The units are
 * transient, made from agent.yaml and gone after the end of the program; drop-ins in
 * /etc/systemd/system/UNIT.d change them.
 */
export class SystemdStarter implements Starter {
  readonly #user: SystemUser | null;

  /** `user` null: root. */
  constructor({ user }: { user: SystemUser | null }) {
    this.#user = user;
  }

  async start(spec: ProgramSpec): Promise<Started> {
    const unit = unitOf(spec.name);
    // Of a run that failed systemd keeps the unit, so that one can look at it, and its name; and with
    // it that of the other program, which it names.
    const words = ['reset-failed', unitOf('*')];
    await run('systemctl', words).catch(() => undefined);
    const options = [`--unit=${unit}`, '--quiet', '--service-type=exec'];
    const command = [spec.command, ...spec.args].map((word) => word.replaceAll('$', '$$$$'));
    const settings = unitSettings(spec, this.#user);
    try {
      await run('systemd-run', [...options, ...settings, '--', ...command]);
    } catch (cause) {
      const why = textOf(cause);
      if (NOT_FOUND.test(why)) throw cannotExecute(spec, cause);
      // One that ended at once was started all the same; how it ended is said by `ended`.
      const pid = TAKEN.test(why) ? null : await mainPid(unit);
      if (pid !== null) return { pid, ended: null };
      const hint = NO_SPACE.test(why)
        ? 'units are made in /run: look at it with df -h /run; df -i /run'
        : `look at it with systemctl status ${unit}`;
      throw new AgentError(`cannot start ${spec.name} as unit ${unit}: ${why}; ${hint}`, {
        cause,
        retryable: true,
      });
    }
    const pid = await mainPid(unit);
    if (pid !== null) return { pid, ended: null };
    throw new AgentError(
      `${spec.name} was started as unit ${unit}, but has ended at once, or systemd does not answer; look at it with systemctl status ${unit}`,
      { retryable: true },
    );
  }

  async find(spec: ProgramSpec): Promise<number | null> {
    const { MainPID } = await show(unitOf(spec.name), 'MainPID');
    return Number(MainPID) || null;
  }

  /** Units of a user's own systemd can have the same name: they are in that user's slice. */
  isOurGroup({ name }: ProgramSpec, group: string): boolean {
    return group === `/system.slice/${unitOf(name)}`;
  }

  async howEnded(spec: ProgramSpec): Promise<ProcessEnd> {
    const unit = unitOf(spec.name);
    const { ExecMainCode, ExecMainStatus } = await show(unit, 'ExecMainCode', 'ExecMainStatus');
    const status = Number(ExecMainStatus);
    // As of waitid(2): 1 = it ended by itself, 2 and 3 = by a signal; 0 = the unit is gone.
    if (ExecMainCode === '1') return { code: status, signal: null };
    if (ExecMainCode !== '2' && ExecMainCode !== '3') return { code: null, signal: null };
    const known = Object.entries(constants.signals).find(([, number]) => number === status);
    return { code: null, signal: known?.[0] ?? `signal ${status}` };
  }

  async lastOutput(_: ProgramSpec, pid: number): Promise<string> {
    const words = ['--quiet', '--boot', '--output=cat', '--lines=3', `_PID=${pid}`];
    return run('journalctl', words).then(
      ({ stdout }) => joinLines(stdout),
      () => '',
    );
  }

  /** The journal keeps itself small. */
  tidy(): Promise<void> {
    return Promise.resolve();
  }
}

function run(command: string, words: string[]): Promise<{ stdout: string }> {
  return execute(command, words, { timeout: SYSTEMD_ANSWER_MS, env: childEnvironment() });
}

/** What chmpx and k2hdkc never do; nothing here gives them mounts of their own. */
const NEVER_DONE = [
  'NoNewPrivileges=yes',
  'LockPersonality=yes',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
  'SystemCallArchitectures=native',
  'SystemCallFilter=@system-service',
  'SystemCallErrorNumber=EPERM',
];

/** As root they write to folders of others, and make message queues beyond the kernel's limit. */
const CAPABILITIES_OF_ROOT =
  'CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL CAP_NET_BIND_SERVICE CAP_SYS_RESOURCE';

/** The unit of a program. */
export function unitOf(name: string): string {
  return `k2hdkc-guest-${name}.service`;
}

function unitSettings(spec: ProgramSpec, user: SystemUser | null): string[] {
  const settings = [
    'Restart=no', // the agent decides that
    `KillSignal=${spec.stopSignal}`, // chmpx ignores TERM: a shutdown of the VM would take 90 s
    `TimeoutStopSec=${STOP_SECONDS}`,
    `SyslogIdentifier=${spec.name}`,
    'StandardOutput=journal',
    'StandardError=journal',
    'LimitNOFILE=65536',
    'LimitMSGQUEUE=infinity',
    'OOMScoreAdjust=-500', // without the database this VM is of no use
    'UMask=0022',
    ...NEVER_DONE,
    `CapabilityBoundingSet=${user === null ? CAPABILITIES_OF_ROOT : ''}`,
    ...(user ? [`User=${user.name}`] : []),
    // What is started later is stopped earlier.
    ...(spec.needs === undefined ? [] : [`After=${unitOf(spec.needs)}`]),
    // Volumes are unmounted when the VM is shut down, with or without what runs on them.
    ...(spec.folder === undefined ? [] : [`RequiresMountsFor=${quoted(spec.folder)}`]),
  ];
  const environment = Object.entries(spec.environment ?? {});
  return [
    `--description=${spec.name} of K2HDKC, kept by k2hdkc-guest-agent`,
    ...settings.map((setting) => `--property=${setting}`),
    ...environment.map(([name, value]) => `--setenv=${name}=${value}`),
  ];
}

/** One word of a list, as systemd reads it. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** The process with which a unit was started, also when that has ended; null when none is known. */
async function mainPid(unit: string): Promise<number | null> {
  const { ExecMainPID } = await show(unit, 'ExecMainPID');
  return Number(ExecMainPID) > 0 ? Number(ExecMainPID) : null;
}

/** Properties of a unit; empty texts when systemd does not answer. */
async function show<T extends string>(unit: string, ...names: T[]): Promise<Record<T, string>> {
  const words = ['show', unit, ...names.map((name) => `--property=${name}`)];
  const text = await run('systemctl', words).then(
    ({ stdout }) => stdout,
    () => '',
  );
  const lines = text.split('\n').map((line) => line.split('=') as [string, string | undefined]);
  const values = new Map(lines);
  return Object.fromEntries(names.map((name) => [name, values.get(name) ?? ''])) as Record<
    T,
    string
  >;
}

/** What a command that failed wrote, as one line. */
function textOf(thrown: unknown): string {
  const text =
    thrown instanceof Error && 'stderr' in thrown && typeof thrown.stderr === 'string'
      ? joinLines(thrown.stderr)
      : '';
  return text || messageOf(thrown);
}
