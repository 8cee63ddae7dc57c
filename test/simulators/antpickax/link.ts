import { once } from 'node:events';
import net from 'node:net';

/** What a k2hdkc says when it attaches. */
export interface Attachment {
  pid: number;
  /** How many chmpx it has lost before this one. */
  rejoins: number;
  /** Runs with `-no_giveup_rejoin`. */
  neverGivesUp: boolean;
}

/** Who is told about k2hdkc processes. */
export interface LinkListener {
  attached(attachment: Attachment): void;
  detached(pid: number): void;
}

/**
 * The chmpx side of what the message queues and the shared memory do in the real programs: a
 * loopback connection for as long as a k2hdkc is attached. Resolves with the port.
 */
export async function openLink(listener: LinkListener): Promise<number> {
  const server = net.createServer((socket) => {
    let pid: number | undefined;
    socket.on('error', () => undefined);
    socket.once('data', (data) => {
      const [first = '', rejoins, giveUp] = data.toString().split(' ');
      pid = Number(first);
      listener.attached({ pid, rejoins: Number(rejoins), neverGivesUp: giveUp === 'never' });
    });
    socket.once('close', () => {
      if (pid !== undefined) listener.detached(pid);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port to attach to');
  return address.port;
}

/** The k2hdkc side; calls `lost` when the chmpx is gone. */
export function attach(port: number, attachment: Attachment, lost: () => void): void {
  const { pid, rejoins, neverGivesUp } = attachment;
  const socket = net.connect(port, '127.0.0.1', () => {
    socket.write(`${pid} ${rejoins} ${neverGivesUp ? 'never' : 'gives-up'}`);
  });
  socket.on('error', () => undefined);
  socket.once('close', lost);
}
