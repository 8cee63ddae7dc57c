import { readdir, readFile, readlink } from 'node:fs/promises';

/** A process that listens on a port. */
export interface Listener {
  port: number;
  /** Null when it cannot be known: it belongs to another user, or to another container. */
  pid: number | null;
}

/** An IPv4 address in /proc/net/tcp6: `::ffff:127.0.0.1`, as a listener for both families has it. */
const MAPPED = /^0{16}FFFF0000(.{8})$/;

/** LISTEN in the state column of /proc/net/tcp. */
const LISTEN = '0A';

/**
 * Who listens on these TCP ports, on whatever address but the loopback addresses other than
 * `loopback` (default 127.0.0.1), which are other nodes' when several share a machine. Each port at
 * most once.
 */
export async function listenersOn(ports: number[], loopback = '127.0.0.1'): Promise<Listener[]> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const found = new Map<number, string>();
  for (const line of tables.flatMap((table) => table.split('\n').slice(1))) {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const [long = '', hexPort = ''] = local.split(':');
    const address = MAPPED.exec(long)?.[1] ?? long;
    const port = Number.parseInt(hexPort, 16);
    const isOthers = /^.{6}7F$/.test(address) && address !== inTable(loopback);
    if (state === LISTEN && ports.includes(port) && !isOthers) found.set(port, inode);
  }
  const holders =
    found.size > 0 ? await socketHolders(new Set(found.values())) : new Map<string, number>();
  return [...found].map(([port, inode]) => ({ port, pid: holders.get(inode) ?? null }));
}

/** An IPv4 address as /proc/net/tcp has it on a little-endian machine. */
function inTable(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return bytes.toReversed().join('').toUpperCase();
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
