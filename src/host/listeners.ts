import { readdir, readFile, readlink } from 'node:fs/promises';

/** A process that listens on a port. */
export interface Listener {
  port: number;
  /** Null when it cannot be known: it belongs to another user, or to another container. */
  pid: number | null;
}

/** LISTEN in the state column of /proc/net/tcp. */
const LISTEN = '0A';

/** Who listens on these TCP ports, on whatever address; each port at most once. */
export async function listenersOn(ports: number[]): Promise<Listener[]> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const found = new Map<number, string>();
  for (const line of tables.flatMap((table) => table.split('\n').slice(1))) {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const port = Number.parseInt(local.split(':')[1] ?? '', 16);
    if (state === LISTEN && ports.includes(port)) found.set(port, inode);
  }
  const holders =
    found.size > 0 ? await socketHolders(new Set(found.values())) : new Map<string, number>();
  return [...found].map(([port, inode]) => ({ port, pid: holders.get(inode) ?? null }));
}

/** The PIDs of the processes that have these sockets open, by inode. */
async function socketHolders(inodes: ReadonlySet<string>): Promise<Map<string, number>> {
  const holders = new Map<string, number>();
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const folder = `/proc/${pid}/fd`;
    for (const fd of await readdir(folder).catch(() => [])) {
      const target = await readlink(`${folder}/${fd}`).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) holders.set(inode, Number(pid));
    }
  }
  return holders;
}
