import type { Delivery, Publisher } from '../../src/amqp/message.ts';
import { createRpcServer } from '../../src/app/server/trove-session.ts';
import { createLogger } from '../../src/base/log.ts';
import { Secrets } from '../../src/base/secrets.ts';
import { SeenContexts } from '../../src/guest/seen-contexts.ts';
import { SecondTries } from '../../src/guest/second-tries.ts';
import type { RpcServer } from '../../src/oslo/rpc-server.ts';
import type { GuestHandlers } from '../../src/trove/dispatcher.ts';
import { configured } from '../app/configured.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { ScriptedPublisher } from '../oslo/scripted-publisher.ts';

export const KEY = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
/** Bytes of the largest message that this guest reads. */
export const LARGEST = 4 * 1024 ** 2;

interface GuestServerOptions {
  isKeyed: boolean;
  stateDirectory?: string;
  publisher?: Publisher;
  /** Answers rpc_ping. Default: true. */
  ping?: () => Promise<unknown>;
}

/** The server of the guest API with its log, as the agent puts it together. */
export async function guestServer(options: GuestServerOptions): Promise<{
  server: RpcServer;
  publisher: ScriptedPublisher;
  clock: ManualClock;
  /** What was logged. */
  lines: string[];
}> {
  const { isKeyed, stateDirectory = '/nowhere', ping = () => Promise.resolve(true) } = options;
  const guestAgent = isKeyed ? `instance_rpc_encr_key = ${KEY}` : '';
  const { guest } = await configured({ guestAgent });
  const clock = new ManualClock();
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const log = createLogger({ format: 'journal', level: 'debug', secrets: new Secrets(), write });
  const publisher = new ScriptedPublisher();
  const server = createRpcServer({
    guest,
    publisher: options.publisher ?? publisher,
    handlers: { rpc_ping: ping } as Partial<GuestHandlers> as GuestHandlers,
    onRefusedCast: () => Promise.resolve(),
    isKnown: () => false,
    triesAgain: new SecondTries(stateDirectory, 5),
    contexts: new SeenContexts(stateDirectory),
    largestBody: LARGEST,
    clock,
    log,
  });
  return { server, publisher, clock, lines };
}

/** A message, and what became of it. */
export function letter(content: Buffer | string, redelivered = false): Delivery & { fate: string } {
  return {
    fate: 'open',
    content: Buffer.from(content),
    contentType: 'application/json',
    headers: {},
    routingKey: 'guestagent.g-1',
    redelivered,
    ack() {
      this.fate = 'acknowledged';
    },
    reject() {
      this.fate = 'rejected';
    },
  };
}
