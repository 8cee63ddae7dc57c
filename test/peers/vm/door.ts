import { once } from 'node:events';
import { connect, Server, type AddressInfo, type Socket } from 'node:net';
import { startChild } from '../child.ts';
import { companion, SYSTEM_PATH } from './script.ts';

/** A listening socket inside the hub whose connections arrive in this process. */
export interface Door {
  port: number;
  /** Listens no more, and cuts the connections that stand. */
  close(): Promise<void>;
}

/** Where a door is. */
export interface DoorPlace {
  /** A process in the network namespace. */
  pid: number;
  address: string;
  /** 0 for a free one. */
  port: number;
}

/**
 * Opens a door. A socket belongs to the network namespace that it was made in, wherever it is used:
 * a helper makes it inside and passes it on. `remoteAddress` is that of the VM.
 */
export async function openDoor(
  { pid, address, port }: DoorPlace,
  onConnection: (socket: Socket) => void,
): Promise<Door> {
  const server = await listenIn(pid, address, port);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Opens a door to a port of 127.0.0.1 on this process's side. */
export function openRelay(place: DoorPlace, to: number): Promise<Door> {
  return openDoor(place, (socket) => {
    const onward = connect(to, '127.0.0.1');
    for (const [end, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      end.setNoDelay(true);
      end.pipe(other);
      end.on('error', () => undefined); // "close" follows
      end.once('close', () => other.destroy());
    }
  });
}

async function listenIn(pid: number, address: string, port: number): Promise<Server> {
  const node = [process.execPath, companion('listener.mjs'), address, String(port)];
  const { process: child } = await startChild(
    'nsenter',
    [`--net=/proc/${pid}/ns/net`, '--', ...node],
    { cwd: '/', env: { PATH: SYSTEM_PATH }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  const server = await new Promise<Server>((resolve, reject) => {
    child.once('message', (message, handle) => {
      if (handle instanceof Server) resolve(handle);
      else reject(new Error(`${address}:${port} in the lab: ${JSON.stringify(message)}`));
    });
    child.once('exit', (code) => reject(new Error(`the listener ended with ${String(code)}`)));
  });
  return server;
}
