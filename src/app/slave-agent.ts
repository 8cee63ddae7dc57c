import { sleep } from '../base/clock.ts';
import { readBootId } from '../host/boot-id.ts';
import { makePrivateDirectory } from '../host/atomic-file.ts';
import { lockDirectory } from '../host/instance-lock.ts';
import { fingerprintOf } from '../k2hr3/registration-record.ts';
import type { Agent, AgentOptions } from './agent.ts';
import { ConfigurationError } from '../base/errors.ts';
import { DesiredStateStore, type DesiredState } from '../node/desired-state.ts';
import { createLocalNode } from './local-node.ts';
import { isStopped } from '../node/plan/wants.ts';
import { Reconciler } from '../node/reconciler.ts';
import { reconcilerTimes } from './reconciler-times.ts';
import type { NodeSettings } from './settings.ts';
import { SlaveSoftware } from '../node/programs/slave-software.ts';
import type { SlaveSource } from './slave-source.ts';
import { createNodeWatch } from './create-watch.ts';

/** What the agent of a slave is given. */
export interface SlaveAgentOptions extends Omit<AgentOptions, 'settings'> {
  settings: NodeSettings;
  source: SlaveSource;
}

/** The agent of a slave; `stop` ends it alone, `leave` takes the node out of the cluster first. */
export interface SlaveAgent extends Agent {
  leave(): Promise<void>;
}

/**
 * The composition root of a slave: the same reconciler and node as a server's, without Trove. It
 * wants to be in the cluster for as long as it runs.
 */
export async function startSlaveAgent(options: SlaveAgentOptions): Promise<SlaveAgent> {
  const { settings, source, clock, random, secrets, log } = options;
  const { agent: config } = settings;
  const stateDirectory = config.paths.state_dir;
  secrets.add(source.secret);
  await makePrivateDirectory(stateDirectory);
  const unlock = await lockDirectory(stateDirectory);
  const bootId = readBootId();
  const desired = await DesiredStateStore.open(stateDirectory);
  await desired.update(wanted(desired.current, options));

  const local = await createLocalNode({
    config,
    overrides: settings.overrides,
    programUser: settings.programUser,
    k2hr3Ca: settings.k2hr3Ca,
    desired,
    bootId,
    access: source.access,
    clock,
    random,
    secrets,
    log,
    onRole: () => reconciler.wake(),
    onCrash: () => reconciler.interrupt(),
  });
  const { node, role, chmpx, membership } = local;
  let step = '';
  const reconciler: Reconciler = new Reconciler({
    desired,
    node,
    times: reconcilerTimes(config.cluster),
    crashLoopAfter: config.cluster.crashes_until_crashed,
    clock,
    random,
    log,
    onLook: () => {
      const progress = reconciler.progress();
      if (progress !== step) log.info({ now: progress }, 'slave');
      step = progress;
      watch.look();
    },
  });
  const common = { config, clock, random, secrets, log };
  const watch = createNodeWatch({ ...common, version: options.version, local, reconciler });
  const software = new SlaveSoftware({
    desired,
    readKey: (...key) => membership.readKey(...key),
    install: config.slave.install_packages,
    onInstalled: () => {
      node.startAfresh();
      reconciler.wake();
    },
    clock,
    random,
    log,
  });

  await role.restore(desired.current.phase === 'preparing');
  await chmpx.adopt(desired.current.generation);
  const ending = new AbortController();
  const running = [reconciler, role, software, watch].map((part) => part.run(ending.signal));
  log.info({ mode: 'slave' }, 'agent started');

  const end = async (): Promise<void> => {
    ending.abort();
    await Promise.all(running);
    await unlock();
  };
  return {
    failed: Promise.all(running).then(() => new Promise<never>(() => undefined)),
    async stop() {
      log.info('agent stops; chmpx runs on and the node stays registered');
      await end();
    },
    async leave() {
      log.info('this node leaves the cluster');
      await reconciler.wish({ parameters: null });
      const gone = reconciler
        .until(({ observed }) => isStopped(observed) && desired.current.registration === null)
        .then(() => true);
      const late = sleep(clock, config.slave.leave_timeout * 1000, ending.signal).then(() => false);
      if (await Promise.race([gone, late])) log.info('this node has left the cluster');
      else {
        const problem = reconciler.progress();
        log.error(
          { problem },
          'leaving took too long; what is left is cleaned up at the next start',
        );
      }
      gone.catch(() => undefined); // the reconciler ends before it is true
      await end();
    },
  };
}

/** What a slave should be from its start on. Another source means another role: that one is left. */
function wanted(
  current: DesiredState,
  { settings, source }: SlaveAgentOptions,
): Partial<DesiredState> {
  const { agent: config } = settings;
  if (current.mode === 'server' && current.phase !== 'new') {
    throw new ConfigurationError(
      `${config.paths.state_dir} is that of a server which Trove has prepared: a slave needs another paths.state_dir`,
    );
  }
  const { registration } = current;
  const isOther = registration?.extdataFingerprint !== fingerprintOf(source.secret);
  return {
    mode: 'slave',
    phase: 'prepared',
    failure: null,
    stopped: null,
    parameters: { clusterName: config.slave.cluster_name ?? '', extdataUrl: source.secret },
    ...(registration && isOther
      ? { registration: { ...registration, parametersKey: 'of another source' } }
      : {}),
  };
}
