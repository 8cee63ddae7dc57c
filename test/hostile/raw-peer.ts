import net, { type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** What a peer does with a connection once it has heard something. */
export type Behaviour = (socket: Socket) => void;

/** A listener that speaks bytes, and knows who is still connected. */
export interface RawPeer {
  /** `http://127.0.0.1:port`. */
  url: string;
  /** Connections that were made, and that are open. */
  made: () => number;
  open: () => number;
}

/** Listens until the test is over. */
export async function rawPeer(behave: Behaviour): Promise<RawPeer> {
  const peer = await openRawPeer(behave);
  onTestFinished(() => peer.close());
  return peer;
}

/** Listens until it is closed. */
export async function openRawPeer(behave: Behaviour): Promise<RawPeer & { close: () => void }> {
  const sockets = new Set<Socket>();
  let made = 0;
  const server = net.createServer((socket) => {
    made += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    socket.once('data', () => behave(socket));
    socket.resume();
  });
  await new Promise<void>((go) => server.listen(0, '127.0.0.1', go));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { url: `http://127.0.0.1:${port}`, made: () => made, open: () => sockets.size, close };
}

/** Says this, and then nothing. */
export function says(...texts: (string | Buffer)[]): Behaviour {
  return (socket) => {
    for (const text of texts) socket.write(text);
  };
}

/** Says this and leaves. */
export function saysAndEnds(text: string): Behaviour {
  return (socket) => void socket.end(text);
}

/** Says `first`, then `again` for ever, every few milliseconds. */
export function drips(first: string, again: string, everyMs = 5): Behaviour {
  return (socket) => {
    socket.write(first);
    const more = setInterval(() => socket.write(again), everyMs);
    socket.once('close', () => clearInterval(more));
  };
}

/** Says `first`, then `again` for ever, as fast as it is taken. */
export function pours(first: string, again: string | Buffer): Behaviour {
  return (socket) => {
    const pour = (): void => {
      while (!socket.destroyed && socket.write(again));
    };
    socket.on('drain', pour);
    socket.write(first);
    pour();
  };
}
