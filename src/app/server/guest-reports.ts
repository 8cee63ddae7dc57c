import path from 'node:path';
import type { AmqpSession } from '../../amqp/session.ts';
import { Backoff } from '../../base/backoff.ts';
import { conductorSender } from '../../guest/report/conductor.ts';
import { Outbox } from '../../guest/report/outbox.ts';
import { Reporter } from '../../guest/report/reporter.ts';
import { openSentClock } from '../../guest/report/sent-file.ts';
import { statusOf } from '../../guest/report/status-of.ts';
import type { Reconciler } from '../../node/reconciler.ts';
import { ConductorSerializer } from '../../trove/conductor-serializer.ts';
import type { AgentState } from '../agent-state.ts';
import type { Settings } from '../settings.ts';
import type { World } from '../world.ts';

/** What reports to Trove is made from. */
export interface GuestReportsOptions extends World {
  settings: Settings;
  state: Pick<AgentState, 'directory' | 'desired'>;
  session: Pick<AmqpSession, 'publish' | 'onConnected'>;
  reconciler: Pick<Reconciler, 'snapshot'>;
}

/** What reports to Trove. */
export interface GuestReports {
  outbox: Outbox;
  reporter: Reporter;
}

/** Between two tries to send what the conductor did not take (ms). */
const SEND_AGAIN = { first: 250, cap: 5_000 };

/** How often the status is said for some time after a start, a change and an operation (ms). */
const CLOSELY = { intervalMs: 10_000, forMs: 180_000 };

/** Puts together what reports to Trove: at every change, when the broker is back, and in between. */
export async function createGuestReports(options: GuestReportsOptions): Promise<GuestReports> {
  const { settings, state, session, reconciler, clock, random, log } = options;
  const { agent: config, guest, rabbit } = settings;
  const outbox = await Outbox.open({
    stateDirectory: state.directory,
    send: conductorSender(
      session,
      { exchange: rabbit.controlExchange, routingKey: guest.conductorQueue },
      new ConductorSerializer(guest.guestId, guest.instanceKey),
    ),
    nextSent: openSentClock(path.join(state.directory, 'sent'), clock, log),
    repeatMs: config.trove.repeat_after_delivery * 1000,
    clock,
    backoff: new Backoff(SEND_AGAIN, random),
    log,
  });
  const reporter = new Reporter({
    instanceId: guest.guestId,
    outbox,
    status: () => {
      const { snapshot } = reconciler;
      return snapshot && statusOf(state.desired.current, snapshot.observed);
    },
    intervalMs: config.trove.heartbeat_interval * 1000,
    repeatMs: config.trove.repeat_after_change * 1000,
    closely: CLOSELY,
    clock,
    random,
    log,
  });
  state.desired.onChange(() => reporter.look());
  session.onConnected(() => {
    outbox.connected();
    reporter.repeat();
  });
  return { outbox, reporter };
}
