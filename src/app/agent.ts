import path from 'node:path';
import { Backoff, type Random } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { ConfigurationError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import { makePrivateDirectory } from '../host/atomic-file.ts';
import { readBootId } from '../host/boot-id.ts';
import { lockDirectory } from '../host/instance-lock.ts';
import type { RpcServer } from '../oslo/rpc-server.ts';
import { ConductorSerializer } from '../trove/conductor-serializer.ts';
import { conductorSender } from '../guest/report/conductor.ts';
import { continueUnfinished } from '../guest/continue-unfinished.ts';
import { dataFileOf } from '../guest/data-file.ts';
import { DesiredStateStore } from '../node/desired-state.ts';
import { guestHandlers } from '../guest/handlers.ts';
import { BackupRecords } from '../guest/backup-records.ts';
import { backupSettings } from './backup-settings.ts';
import { Journal } from '../guest/journal.ts';
import { createLocalNode } from './local-node.ts';
import { Markers } from '../guest/markers.ts';
import { Operations } from '../guest/operations.ts';
import { Outbox } from '../guest/report/outbox.ts';
import { reconcilerTimes } from './reconciler-times.ts';
import { Reconciler } from '../node/reconciler.ts';
import { tellOfRefusedCast } from '../guest/refused-cast.ts';
import { Reporter } from '../guest/report/reporter.ts';
import { restoreFirst } from '../guest/restore-first.ts';
import { openSentClock } from '../guest/report/sent-file.ts';
import type { Settings } from './settings.ts';
import { statusOf } from '../guest/report/status-of.ts';
import { createRpcServer, createSession } from './trove-session.ts';
import { createNodeWatch } from './create-watch.ts';

/** What the whole agent is given: its settings and the outside world. */
export interface AgentOptions {
  settings: Settings;
  /** Of this agent. */
  version: string;
  clock: Clock;
  random: Random;
  secrets: Secrets;
  log: Logger;
}

/** A running agent. */
export interface Agent {
  /** Rejects when a part of the agent fails that nothing can go on without. */
  failed: Promise<never>;
  /** Ends the agent, and nothing else: chmpx and k2hdkc run on. */
  stop(): Promise<void>;
}

/** The composition root: makes every part once and hands it to those who need it. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { settings, clock, random, secrets, log } = options;
  const { agent: config, guest, rabbit } = settings;
  const stateDirectory = config.paths.state_dir;
  secrets.add(...guest.secrets);
  await makePrivateDirectory(stateDirectory);
  const unlock = await lockDirectory(stateDirectory);

  const ending = new AbortController();
  const bootId = readBootId();
  const desired = await DesiredStateStore.open(stateDirectory);
  const { stopped, parameters } = desired.current;
  secrets.add(parameters?.extdataUrl);
  if (desired.current.mode === 'slave') {
    throw new ConfigurationError(
      `${stateDirectory} is that of a slave: a server needs another paths.state_dir, or it moved away`,
    );
  }

  // To be connected takes as long as all that follows. Who asks already waits until it is there.
  let complete: (server: RpcServer) => void = () => undefined;
  const session = createSession({
    settings,
    server: new Promise((resolve) => (complete = resolve)),
    ...{ clock, random, log },
  });
  session.start();

  const journal = await Journal.open(stateDirectory, bootId);
  if (stopped && stopped.bootId !== null && stopped.bootId !== bootId) {
    log.info('this is a new boot: stop_db of the one before is over');
    await desired.update({ stopped: null });
  }

  const local = await createLocalNode({
    config,
    overrides: settings.overrides,
    k2hr3Ca: settings.k2hr3Ca,
    programUser: settings.programUser,
    volume: guest.volume,
    desired,
    bootId,
    clock,
    random,
    secrets,
    log,
    onRole: () => reconciler.wake(),
    onCrash: () => reconciler.interrupt(),
  });
  const { node, role, chmpx, k2hdkc } = local;
  const reconciler: Reconciler = new Reconciler({
    desired,
    node,
    times: reconcilerTimes(config.cluster),
    clock,
    random,
    log,
    crashLoopAfter: config.cluster.crashes_until_crashed,
    onLook: () => {
      reporter.look();
      watch.look();
    },
  });
  const { version } = options;
  const common = { config, clock, random, secrets, log };
  const watch = createNodeWatch({ ...common, version, local, reconciler });

  const outbox = await Outbox.open({
    stateDirectory,
    send: conductorSender(
      session,
      { exchange: rabbit.controlExchange, routingKey: guest.conductorQueue },
      new ConductorSerializer(guest.guestId, guest.instanceKey),
    ),
    nextSent: openSentClock(path.join(stateDirectory, 'sent'), clock),
    clock,
    backoff: new Backoff({ first: 250, cap: 5_000 }, random),
    log,
  });
  const reporter = new Reporter({
    instanceId: guest.guestId,
    outbox,
    status: () => {
      const { snapshot } = reconciler;
      const { crashes_until_crashed: limit } = config.cluster;
      return snapshot && statusOf(desired.current, snapshot.observed, limit);
    },
    intervalMs: config.trove.heartbeat_interval * 1000,
    repeatMs: config.trove.repeat_after_change * 1000,
    clock,
    random,
    log,
  });
  const operations = new Operations({
    journal,
    clock,
    log,
    progress: () => reconciler.progress(),
  });
  const backup = {
    ...backupSettings(settings),
    dataFile: () => dataFileOf(reconciler),
    records: await BackupRecords.open(stateDirectory, log),
    ending: ending.signal,
    ...{ outbox, clock, random, secrets, log },
  };
  const markers = new Markers(config.paths.markers_dir);
  const handlers = guestHandlers({
    desired: () => desired.current,
    operations,
    reconciler,
    reporter,
    node,
    markers,
    prepare: {
      instanceId: guest.guestId,
      desired: () => desired.current,
      reconciler,
      outbox,
      markers,
      configuredVolume: { device: guest.devicePath, mountPoint: guest.mountPoint },
      volume: local.volume,
      restoreFirst: (wish) =>
        restoreFirst(
          {
            storage: settings.storage,
            k2hlinetool: config.programs.k2hlinetool,
            reconciler,
            timeoutMs: config.trove.restore_timeout * 1000,
            ending: ending.signal,
            ...{ clock, random, secrets, log },
          },
          wish,
        ),
      crashesUntilCrashed: config.cluster.crashes_until_crashed,
      timeoutMs: config.trove.prepare_timeout * 1000,
      clock,
      log,
    },
    backup,
    backups: new Operations({ journal, clock, log, progress: () => 'backing up' }),
    dataDirectory: backup.dataDirectory,
    bootId,
    version: options.version,
    replyMarginMs: config.trove.reply_margin * 1000,
    leaveOnSecondClusterComplete: config.cluster.leave_on_second_cluster_complete,
    rejoinAfterMs: config.cluster.rejoin_after * 1000,
    wallClock: () => clock.wall(),
    log,
  });
  const server = createRpcServer({
    guest,
    publisher: session,
    handlers,
    onRefusedCast: (refused) =>
      tellOfRefusedCast(refused, { instanceId: guest.guestId, reconciler, outbox }),
    isKnown: (id) => journal.knows(id),
    clock,
    log,
  });
  desired.onChange(() => reporter.look());
  session.onConnected(() => {
    outbox.connected();
    reporter.repeat();
  });

  await role.restore(desired.current.phase === 'preparing');
  await chmpx.adopt(desired.current.generation);
  await k2hdkc.adopt(desired.current.generation);
  const running = [reconciler, role, reporter, outbox, watch].map((part) =>
    part.run(ending.signal),
  );
  await continueUnfinished(journal, server, log);
  complete(server);
  log.info({ instance: guest.guestId }, 'agent started');

  return {
    failed: Promise.all(running).then(() => new Promise<never>(() => undefined)),
    async stop() {
      log.info('agent stops; chmpx and k2hdkc run on');
      ending.abort();
      await Promise.all(running);
      await session.stop();
      await unlock();
    },
  };
}
