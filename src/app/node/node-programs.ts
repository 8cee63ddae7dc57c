import { withVolume } from '../../node/data-folders.ts';
import type { DesiredStateStore } from '../../node/desired-state.ts';
import { KeptProgram } from '../../node/programs/kept-program.ts';
import { RestartPolicy } from '../../node/programs/restart-policy.ts';
import { StartSite } from '../../node/programs/start-site.ts';
import { createLauncher, programsDirectory } from './program-launcher.ts';
import type { NodeSettings } from '../settings.ts';
import type { World } from '../world.ts';

/** What keeps the programs of this VM's node is made from. */
export interface NodeProgramsOptions extends World {
  settings: Pick<NodeSettings, 'agent' | 'programUser' | 'dataFolders'>;
  desired: DesiredStateStore;
  bootId: string;
  /** A program has crashed. */
  onCrash: () => void;
}

/** The programs of this VM's node. */
export interface NodePrograms {
  chmpx: KeptProgram;
  k2hdkc: KeptProgram;
  restarts: RestartPolicy;
  /** What makes the VM ready for a start. */
  site: StartSite;
}

/** After SIGKILL a process is gone at once, unless it hangs in the kernel (ms). */
const KILL_WAIT_MS = 5_000;

/** Puts together what keeps chmpx and k2hdkc. */
export function createNodePrograms(options: NodeProgramsOptions): NodePrograms {
  const { clock, random, log } = options;
  const { agent: config, programUser: user, dataFolders } = options.settings;
  const { paths, cluster, programs } = config;
  const restarts = new RestartPolicy({
    clock,
    random,
    backoff: {
      first: cluster.restart_first * 1000,
      second: cluster.restart_second * 1000,
      cap: cluster.restart_cap * 1000,
    },
    loopAfter: cluster.crashes_until_crashed,
    log,
  });
  const { launcher, inheritsLimits } = createLauncher({
    form: programs.launcher,
    directory: programsDirectory(paths.state_dir),
    user,
    bootId: options.bootId,
    clock,
    pollMs: cluster.adopted_check_interval * 1000,
    log,
  });
  const marks = ['-conf', paths.ini_file];
  const keep = (
    name: 'chmpx' | 'k2hdkc',
    signal: NodeJS.Signals,
    more: { needs?: string; environment?: Record<string, string> } = {},
  ): KeptProgram =>
    new KeptProgram({
      name,
      command: programs[name],
      args: [...marks, '-d', 'err'],
      marks,
      ...(user === null ? {} : { uid: user.uid }),
      ...more,
      stopSignals: [
        { signal, waitMs: cluster.stop_wait * 1000 },
        { signal: 'SIGKILL', waitMs: KILL_WAIT_MS },
      ],
      launcher,
      clock,
      log,
      onCrash: (reason) => {
        restarts.crashed(reason, name);
        options.onCrash();
      },
    });
  const site = new StartSite({
    iniFile: paths.ini_file,
    sharedDirectory: paths.shared_dir,
    dataFolders: () => withVolume(dataFolders, options.desired.current.volume),
    user,
    controlHost: cluster.control_host,
    inheritsLimits,
    log,
  });
  return {
    // chmpx ignores SIGTERM forever; HUP ends it.
    chmpx: keep('chmpx', 'SIGHUP'),
    k2hdkc: keep('k2hdkc', 'SIGTERM', {
      needs: 'chmpx',
      environment: { CHMDBGMODE: 'ERR' }, // else what its chmpx library complains of is not seen
    }),
    restarts,
    site,
  };
}
