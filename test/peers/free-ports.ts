import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { Server } from 'node:net';

/**
 * Ports of 127.0.0.1 that nobody listens on. They lie below the range from which Linux takes the
 * local ports of outgoing connections (32768 and up), so that nothing takes one by chance before
 * the process that it is for has bound it.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  const ports: number[] = [];
  for (let tries = 0; ports.length < count && tries < 1000; tries++) {
    const port = randomInt(20_000, 32_000);
    const server = await listen(port);
    if (server === undefined) continue;
    servers.push(server);
    ports.push(port);
  }
  for (const server of servers) server.close();
  if (ports.length < count) throw new Error('No free ports between 20000 and 32000 on 127.0.0.1');
  return ports;
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
