import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { AmqpSession } from '../amqp/session.ts';
import { Backoff, type Random } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import { makePrivateDirectory } from '../host/atomic-file.ts';
import { readBootId } from '../host/boot-id.ts';
import { lockDirectory } from '../host/instance-lock.ts';
import { RpcServer } from '../oslo/rpc-server.ts';
import { controlExchange, rpcServerTopology } from '../oslo/rpc-topology.ts';
import { ConductorSerializer } from '../trove/conductor-serializer.ts';
import { createGuestDispatcher } from '../trove/dispatcher.ts';
import { GuestSerializer } from '../trove/guest-serializer.ts';
import { guestTopic } from '../trove/topics.ts';
import { conductorSender } from './conductor.ts';
import { DesiredStateStore } from './desired-state.ts';
import { guestHandlers } from './handlers.ts';
import { Journal } from './journal.ts';
import { createLocalNode } from './local-node.ts';
import { Markers } from './markers.ts';
import { Operations } from './operations.ts';
import { Outbox } from './outbox.ts';
import { Reconciler } from './reconciler.ts';
import { tellOfRefusedCast } from './refused-cast.ts';
import { Reporter } from './reporter.ts';
import { openSentClock } from './sent-file.ts';
import type { Settings } from './settings.ts';
import { statusOf } from './status-of.ts';

/** What the whole agent is given: its settings and the outside world. */
export interface AgentOptions {
  settings: Settings;
  clock: Clock;
  random: Random;
  secrets: Secrets;
  log: Logger;
}

/** A running agent. */
export interface Agent {
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

  const bootId = readBootId();
  const desired = await DesiredStateStore.open(stateDirectory);
  const journal = await Journal.open(stateDirectory);
  const { stopped, parameters } = desired.current;
  secrets.add(parameters?.extdataUrl);
  if (stopped && stopped.bootId !== null && stopped.bootId !== bootId) {
    log.info('this is a new boot: stop_db of the one before is over');
    await desired.update({ stopped: null });
  }

  const local = await createLocalNode({
    config,
    k2hr3Ca: settings.k2hr3Ca,
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
    times: {
      ringStableMs: config.cluster.ring_stable_for * 1000,
      startTimeoutMs: config.cluster.start_timeout * 1000,
      stuckAfterMs: config.cluster.stuck_after * 1000,
      watchMs: config.cluster.watch_after_change * 1000,
      changingMs: config.cluster.changing_status_interval * 1000,
      settledMs: config.cluster.status_interval * 1000,
    },
    clock,
    random,
    log,
    onLook: () => reporter.look(),
  });

  const { topology, consumers } = rpcServerTopology(
    {
      topic: guestTopic(guest.guestId),
      server: guest.guestId,
      fanoutId: randomUUID().replaceAll('-', ''),
    },
    rabbit,
  );
  const session: AmqpSession = new AmqpSession({
    brokers: guest.transport.brokers,
    heartbeatSeconds: rabbit.heartbeatSeconds,
    topology,
    consumers: consumers.map((consumer) => ({
      ...consumer,
      onDelivery: (delivery) => server.onDelivery(delivery),
    })),
    prefetch: rabbit.prefetchCount,
    backoff: {
      first: config.amqp.reconnect_first * 1000,
      second: config.amqp.reconnect_second * 1000,
      cap: config.amqp.reconnect_cap * 1000,
      jitter: 0.25,
    },
    publishTopology: { exchanges: [controlExchange(rabbit)], queues: [], bindings: [] },
    clock,
    random,
    log,
  });

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
      crashesUntilCrashed: config.cluster.crashes_until_crashed,
      timeoutMs: config.trove.prepare_timeout * 1000,
      clock,
      log,
    },
    dataDirectory: config.paths.data_dir ?? guest.mountPoint,
    bootId,
    replyMarginMs: config.trove.reply_margin * 1000,
    leaveOnSecondClusterComplete: config.cluster.leave_on_second_cluster_complete,
    rejoinAfterMs: config.cluster.rejoin_after * 1000,
    wallClock: () => clock.wall(),
    log,
  });
  const server = new RpcServer({
    publisher: session,
    dispatcher: createGuestDispatcher({
      serializer: new GuestSerializer(guest.instanceKey),
      handlers,
      onRefusedCast: (refused) => {
        const told = tellOfRefusedCast(refused, { instanceId: guest.guestId, reconciler, outbox });
        told.catch((err: unknown) => log.error({ err }, 'Trove was not told of a refused cast'));
      },
      log,
    }),
    isKnown: (id) => journal.knows(id),
    clock,
    log,
  });
  desired.onChange(() => reporter.look());
  session.onConnected(() => {
    outbox.connected();
    reporter.repeat();
  });

  await role.restore();
  await chmpx.adopt(desired.current.generation);
  await k2hdkc.adopt(desired.current.generation);
  const ending = new AbortController();
  const running = [reconciler, role, reporter, outbox].map((part) => part.run(ending.signal));
  const unfinished = await journal.unfinished();
  for (const { id, body } of unfinished) {
    log.info({ id }, 'an operation that an earlier agent did not finish is continued');
    server.resume(body).catch((err: unknown) => log.error({ err, id }, 'it cannot be continued'));
  }
  if (guest.transport.mixedCredentials) {
    log.warn('transport_url gives credentials for some of its hosts only: is that meant?');
  }
  session.start();
  log.info({ instance: guest.guestId, unfinished: unfinished.length }, 'agent started');

  return {
    async stop() {
      log.info('agent stops; chmpx and k2hdkc run on');
      ending.abort();
      await Promise.all(running);
      await session.stop();
      await unlock();
    },
  };
}
