import { readdir, readFile, readlink } from 'node:fs/promises';

/** ESTABLISHED in the state column of /proc/net/tcp. */
const ESTABLISHED = '01';

/**
 * The bytes that wait in the TCP connections of a process until it reads them, by the inode of the
 * socket. Connections in which nothing waits are left out; a process that is gone has none.
 */
export async function unreadBytes(pid: number): Promise<Map<string, number>> {
  const folder = `/proc/${pid}`;
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`${folder}/net/${name}`, 'utf8').catch(() => '')),
  );
  const waiting = new Map<string, number>();
  for (const line of tables.flatMap((table) => table.split('\n').slice(1))) {
    const [, , , state, queues = '', , , , , inode = ''] = line.trim().split(/\s+/);
    const [, unread = ''] = queues.split(':');
    const bytes = Number.parseInt(unread, 16);
    if (state === ESTABLISHED && bytes > 0) waiting.set(inode, bytes);
  }
  if (waiting.size === 0) return waiting;
  // The tables are those of the whole network namespace.
  const own = await socketsOf(folder);
  return new Map([...waiting].filter(([inode]) => own.has(inode)));
}

async function socketsOf(folder: string): Promise<Set<string>> {
  const names = await readdir(`${folder}/fd`).catch(() => []);
  const targets = await Promise.all(
    names.map((name) => readlink(`${folder}/fd/${name}`).catch(() => '')),
  );
  return new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
}
