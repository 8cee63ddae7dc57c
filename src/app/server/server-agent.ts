import type { AmqpSession } from '../../amqp/session.ts';
import { ConfigurationError } from '../../base/errors.ts';
import { continueUnfinished } from '../../guest/continue-unfinished.ts';
import { Journal } from '../../guest/journal.ts';
import type { RpcServer } from '../../oslo/rpc-server.ts';
import { openAgentState, type AgentState } from '../agent-state.ts';
import { createGuestReports, type GuestReports } from './guest-reports.ts';
import { createGuestServer } from './guest-server.ts';
import { createNodeAgent } from '../node/node-agent.ts';
import { runParts, type Agent } from '../running.ts';
import type { Settings } from '../settings.ts';
import type { Concern } from '../../ring/watch/concern-keeper.ts';
import { createSession } from './trove-session.ts';
import type { World } from '../world.ts';

/** What the whole agent is given: its settings and the outside world. */
export interface AgentOptions extends World {
  settings: Settings;
  /** Of this agent. */
  version: string;
}

/**
 * The composition root of a server: what keeps the node of this VM, and what Trove adds to it, which
 * is the session with the broker, the guest API and the reports.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { settings, version, ...world } = options;
  const { secrets, log } = world;
  const { agent: config, guest } = settings;
  secrets.add('configuration', ...guest.secrets);
  const state = await openAgentState(config.paths.state_dir);
  secrets.add('role', state.desired.current.parameters?.extdataUrl);
  refuseSlave(state);

  // To be connected takes as long as all that follows. Who asks already waits until it is there.
  let complete: (server: RpcServer) => void = () => undefined;
  const connecting = new Promise<RpcServer>((resolve) => (complete = resolve));
  const session = createSession({ ...world, settings, server: connecting });
  session.start();

  const journal = await Journal.open(state.directory, state.bootId, (err) => {
    log.error({ err }, 'the journal cannot be used: operations are refused until it can');
  });
  await endOldStop(state, world);
  const ending = new AbortController();
  const common = { ...world, settings, version, state };
  const node = await createNodeAgent({
    ...common,
    volume: guest.volume,
    onLook: () => reports.reporter.look(),
    concerns: () => [...reports.outbox.concerns, ...unreachable(session)],
  });
  const { reconciler } = node;
  const reports: GuestReports = await createGuestReports({ ...common, session, reconciler });
  const server = await createGuestServer({
    ...common,
    ...reports,
    journal,
    node,
    publisher: session,
    ending: ending.signal,
  });

  await node.takeUp();
  const running = runParts([...node.parts, reports.reporter, reports.outbox], ending);
  await continueUnfinished(journal, server, log);
  complete(server);
  log.info({ instance: guest.guestId }, 'agent started');

  return {
    failed: running.failed,
    async stop() {
      log.info('agent stops; chmpx and k2hdkc run on');
      await running.end();
      await session.stop();
      await state.unlock();
    },
  };
}

function unreachable({ concern }: AmqpSession): Concern[] {
  return concern === null ? [] : [{ kind: 'unreachable', subject: 'broker', ...concern }];
}

function refuseSlave({ desired, directory }: AgentState): void {
  if (desired.current.mode !== 'slave') return;
  throw new ConfigurationError(
    `${directory} is that of a slave: a server needs another paths.state_dir, or it moved away`,
  );
}

/** A stop_db means until the next boot. */
async function endOldStop({ desired, bootId }: AgentState, { log }: World): Promise<void> {
  const { stopped } = desired.current;
  if (!stopped || stopped.bootId === null || stopped.bootId === bootId) return;
  log.info('this is a new boot: stop_db of the one before is over');
  const err = await desired.assume({ stopped: null });
  if (err !== undefined) log.warn({ err }, 'it is over all the same, but that is not on disk');
}
