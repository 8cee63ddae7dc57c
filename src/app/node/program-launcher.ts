import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { AgentConfig } from '../../config/schema.ts';
import type { SystemUser } from '../../host/system-user.ts';
import { DirectStarter } from '../../process/direct-starter.ts';
import type { Launcher } from '../../process/launcher.ts';
import { RecordedLauncher } from '../../process/recorded-launcher.ts';
import { SystemdStarter } from '../../process/systemd-starter.ts';

/** What a launcher is made of. */
export interface ProgramLauncherOptions {
  /** As configured; null: see launcherForm. */
  form: AgentConfig['programs']['launcher'];
  /** Where records and output files live. */
  directory: string;
  user: SystemUser | null;
  bootId: string;
  clock: Clock;
  pollMs: number;
  log: Logger;
}

/** Where records and output files of the programs are. */
export function programsDirectory(stateDirectory: string): string {
  return path.join(stateDirectory, 'programs');
}

/** The launcher of chmpx and k2hdkc, and whether what it starts gets the limits of this process. */
export function createLauncher(options: ProgramLauncherOptions): {
  launcher: Launcher;
  inheritsLimits: boolean;
} {
  const { directory, user, bootId, clock, pollMs, log } = options;
  const form = chosenForm(options.form);
  log.info({ launcher: form, user: user?.name }, 'who starts chmpx and k2hdkc');
  const starter =
    form === 'systemd' ? new SystemdStarter({ user }) : new DirectStarter({ directory, user });
  const launcher = new RecordedLauncher({ starter, directory, bootId, clock, pollMs });
  return { launcher, inheritsLimits: form === 'direct' };
}

/** How chmpx and k2hdkc are started: as agent.yaml says, or what suits where the agent runs. */
export function chosenForm(configured: ProgramLauncherOptions['form']): 'direct' | 'systemd' {
  return configured ?? launcherForm(process.env, process.pid);
}

/**
 * systemd when the agent is itself a unit: its children would be in its sandbox, have its limits and
 * see its mounts. Anywhere else, in a container or a shell, the agent starts the programs itself.
 */
export function launcherForm(
  environment: NodeJS.ProcessEnv,
  pid: number,
  booted = existsSync('/run/systemd/system'),
): 'direct' | 'systemd' {
  const isUnit = environment['SYSTEMD_EXEC_PID'] === String(pid);
  return isUnit && booted && process.getuid?.() === 0 ? 'systemd' : 'direct';
}
