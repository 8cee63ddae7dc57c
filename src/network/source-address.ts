import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { isLoopbackAddress } from '../host/loopback.ts';

/**
 * The address with which this VM calls another one, by its routes; undefined when there is no route. The
 * kernel is asked: a socket of UDP that is connected sends nothing.
 */
export async function sourceAddressTo(address: string): Promise<string | undefined> {
  const family = isIP(address);
  if (family === 0) return undefined;
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  try {
    const connected = once(socket, 'connect');
    socket.connect(9, address);
    await connected;
    return socket.address().address;
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}

/** Whether a call can be made from an address; every VM has all of the loopback's. */
export function hasAddress(address: string): boolean {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return isLoopbackAddress(address) || own.some((one) => one.address === address);
}
