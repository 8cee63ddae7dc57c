import net from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../src/base/clock.ts';
import type { Clock } from '../../src/base/clock.ts';
import type { HttpOptions } from '../../src/k2hr3/exchange.ts';

/** The options of a VM at this address, with the real clock. */
export function from(localAddress: string, more: Partial<HttpOptions> = {}): HttpOptions {
  return { clock: systemClock, localAddress, ...more };
}

/** A clock whose timers fire as soon as one of exactly `ms` is set; all others never fire. */
export function clockThatPasses(ms: number): Clock {
  return {
    ...systemClock,
    after: (wait, run) => (wait === ms ? systemClock.after(20, run) : () => undefined),
  };
}

/** A server that answers every connection with these bytes and then ends it, or leaves it open. */
export async function startBytes(
  bytes: string | Buffer,
  { leaveOpen = false } = {},
): Promise<{ url: string; connections: () => number; stop: () => Promise<void> }> {
  const sockets = new Set<net.Socket>();
  let connections = 0;
  const server = net.createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => {
      if (leaveOpen) socket.write(bytes);
      else socket.end(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
