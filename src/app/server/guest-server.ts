import type { Publisher } from '../../amqp/message.ts';
import { BackupRecords } from '../../guest/backup-records.ts';
import { dataFileOf } from '../../guest/data-file.ts';
import { guestHandlers } from '../../guest/handlers.ts';
import type { HandlerParts } from '../../guest/handlers/parts.ts';
import type { Journal } from '../../guest/journal.ts';
import { GuestLogs } from '../../guest/logs/guest-logs.ts';
import { LogRecords } from '../../guest/logs/log-records.ts';
import { Markers } from '../../guest/markers.ts';
import { Operations } from '../../guest/operations.ts';
import { withVolume } from '../../node/data-folders.ts';
import { tellOfRefusedCast } from '../../guest/refused-cast.ts';
import { restoreFirst } from '../../guest/restore-first.ts';
import { SeenContexts } from '../../guest/seen-contexts.ts';
import { SecondTries } from '../../guest/second-tries.ts';
import type { RpcServer } from '../../oslo/rpc-server.ts';
import { HANDLED_METHODS } from '../../trove/handled-methods.ts';
import type { AgentState } from '../agent-state.ts';
import { backupSettings } from './backup-settings.ts';
import { guestLogs } from './guest-logs.ts';
import type { GuestReports } from './guest-reports.ts';
import type { NodeAgent } from '../node/node-agent.ts';
import type { Settings } from '../settings.ts';
import { createRpcServer } from './trove-session.ts';
import type { World } from '../world.ts';

/** What serves the guest API is made from. */
export interface GuestServerParts extends World, GuestReports {
  settings: Settings;
  /** Of this agent. */
  version: string;
  state: AgentState;
  journal: Journal;
  /** Answers go through it. */
  publisher: Publisher;
  node: Pick<NodeAgent, 'node' | 'reconciler' | 'volume'>;
  /** The agent ends. */
  ending: AbortSignal;
}

/** Puts together what serves the guest API. */
export async function createGuestServer(parts: GuestServerParts): Promise<RpcServer> {
  const { settings, publisher, journal, outbox, clock, log } = parts;
  const { guest } = settings;
  const { reconciler } = parts.node;
  return createRpcServer({
    guest,
    publisher,
    handlers: guestHandlers(await handlerParts(parts)),
    onRefusedCast: (refused) =>
      tellOfRefusedCast(refused, {
        instanceId: guest.guestId,
        desired: () => parts.state.desired.current,
        reconciler,
        outbox,
      }),
    isKnown: (id) => journal.knows(id),
    triesAgain: new SecondTries(parts.state.directory),
    contexts: new SeenContexts(parts.state.directory),
    largestBody: settings.agent.amqp.largest_message * 1024 ** 2,
    clock,
    log,
  });
}

async function handlerParts(parts: GuestServerParts): Promise<HandlerParts> {
  const { settings, version, state, journal, node, outbox, reporter, ending } = parts;
  const { clock, random, secrets, log } = parts;
  const { agent: config, guest } = settings;
  const { reconciler } = node;
  const dataFolders = (): readonly string[] =>
    withVolume(settings.dataFolders, state.desired.current.volume).all;
  const backup = {
    ...backupSettings(settings),
    dataFile: () => dataFileOf(reconciler),
    dataFolders,
    records: await BackupRecords.open(state.directory, log),
    ending,
    outbox,
    clock,
    random,
    secrets,
    log,
  };
  const markers = new Markers(config.paths.markers_dir);
  const desired = (): typeof state.desired.current => state.desired.current;
  return {
    desired,
    operations: new Operations({
      journal,
      clock,
      log,
      progress: () => reconciler.progress(),
      onBegin: () => outbox.requested(),
      onEnd: () => reporter.operationEnded(),
    }),
    reconciler,
    node: node.node,
    markers,
    prepare: {
      instanceId: guest.guestId,
      configuredVolume: { device: guest.devicePath, mountPoint: guest.mountPoint },
      volume: node.volume,
      restoreFirst: (wish) =>
        restoreFirst(
          {
            storage: settings.storage,
            k2hlinetool: config.programs.k2hlinetool,
            toolUser: settings.programUser,
            timeoutMs: config.trove.restore_timeout * 1000,
            reconciler,
            dataFolders,
            ending,
            clock,
            random,
            secrets,
            log,
          },
          wish,
        ),
      timeoutMs: config.trove.prepare_timeout * 1000,
      desired,
      reconciler,
      outbox,
      markers,
      clock,
      log,
    },
    backup,
    backups: new Operations({ journal, clock, log, progress: () => 'backing up' }),
    logs: new GuestLogs({
      instanceId: guest.guestId,
      logs: await guestLogs(config.programs.launcher, state.directory),
      options: guest.logs,
      records: await LogRecords.open(state.directory, log),
      storage: settings.storage,
      answerMs:
        HANDLED_METHODS.guest_log_action.timeoutSeconds * 1000 - config.trove.reply_margin * 1000,
      ending,
      clock,
      random,
      secrets,
      log,
    }),
    dataDirectory: backup.dataDirectory,
    bootId: state.bootId,
    version,
    replyMarginMs: config.trove.reply_margin * 1000,
    leaveOnSecondClusterComplete: config.cluster.leave_on_second_cluster_complete,
    firstCompleteWithinMs: config.cluster.first_cluster_complete_within * 1000,
    rejoinAfterMs: config.cluster.rejoin_after * 1000,
    wallClock: () => clock.wall(),
    log,
  };
}
