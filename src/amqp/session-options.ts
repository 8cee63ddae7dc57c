import type { BackoffOptions, Random } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { FindAddresses } from '../host/dial.ts';
import type { BrokerAddress } from './broker-address.ts';
import type { Consumer } from './consumer-channel.ts';
import type { TlsOptions } from './tls.ts';
import type { Topology } from './topology.ts';

/** What a session is given. */
export interface AmqpSessionOptions {
  /** At least one; tried in turn, beginning anywhere, so that guests spread over the brokers. */
  brokers: readonly BrokerAddress[];
  /** Default: plain TCP. */
  tls?: TlsOptions | undefined;
  /** Default: getaddrinfo. */
  findAddresses?: FindAddresses;
  /** After this silence a broker is taken for gone, or a little earlier. Default 60; 0 = never. */
  heartbeatSeconds?: number;
  /** Declared on the consumers' channel, before they consume. */
  topology: Topology;
  consumers: readonly Consumer[];
  /** Unacknowledged messages per consumer. Default 0: any number. */
  prefetch?: number;
  /** Declared on the publisher's channel: the exchanges that are published to. */
  publishTopology: Topology;
  /**
   * Delays between attempts, each of which tries all brokers. Default: at once, then 0.25 s
   * doubling, never more than 5 s, after five minutes never more than 30 s.
   */
  backoff?: BackoffOptions;
  /** How long `stop` waits for what is in flight, in milliseconds. Default 5000. */
  stopGrace?: number;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** 4 s and a quarter of jitter: 5 s at most; 24 s and a quarter: 30 s at most. */
export const BACKOFF: BackoffOptions = {
  first: 0,
  second: 250,
  cap: 4_000,
  later: { after: 300_000, cap: 24_000 },
  jitter: 0.25,
};
