import type net from 'node:net';
import { sleep, type Clock } from '../../../src/base/clock.ts';
import { codeOf } from '../../../src/base/errors.ts';
import { Refused } from './configuration.ts';

/** A port of a chmpx. */
export interface Port {
  /** As the error names it. */
  name: 'port' | 'ctlport';
  number: number;
  server: net.Server;
}

/** How ports are opened. */
export interface PortsOptions {
  clock: Clock;
  /** The only address to listen on; undefined for all. */
  address: string | undefined;
  /** Whether another chmpx of the same node runs already. */
  twin: boolean;
}

/**
 * Opens the ports. A twin that already has them does not keep this one from starting
 * (SO_REUSEPORT). Node 20 cannot share them, so this one listens as soon as the twin is gone.
 * Throws Refused when somebody else has them.
 */
export async function openPorts(
  ports: readonly Port[],
  { clock, address, twin }: PortsOptions,
): Promise<void> {
  for (const { name, number, server } of ports) {
    const outcome = await listen(server, number, address);
    const retry = async (): Promise<void> => {
      while ((await listen(server, number, address)) !== 'listening') await sleep(clock, 200);
    };
    if (outcome === 'taken' && twin) void retry();
    else if (outcome !== 'listening') {
      throw new Refused([`SetEventQueue(0) : Could not listen ${name}(${number}).`]);
    }
  }
}

type Listening = 'listening' | 'taken' | 'impossible';

function listen(server: net.Server, port: number, address: string | undefined): Promise<Listening> {
  if (port <= 0 || port > 65_535) return Promise.resolve('impossible');
  return new Promise((resolve) => {
    const failed = (error: Error): void => {
      resolve(codeOf(error) === 'EADDRINUSE' ? 'taken' : 'impossible');
    };
    server.once('error', failed);
    server.listen(port, address, () => {
      server.off('error', failed);
      resolve('listening');
    });
  });
}
