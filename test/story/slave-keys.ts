import { readKeys, writeKeys } from '../helpers/ring-keys.ts';
import { until } from '../helpers/until.ts';
import type { ClusterMember } from './cluster-member.ts';

const KEYS = 100;
/** A batch that is written and read while something else goes on. */
const BATCH = 10;

/** Waits until a slave is up and sees exactly so many servers that serve. */
export async function follows(slave: ClusterMember, servers: number): Promise<void> {
  const sees = (): Promise<boolean> => slave.followsServing(servers);
  await until(`${slave.name} sees ${servers} servers`, sees, { seconds: 120, everyMs: 200 });
}

/** Writes keys from a slave and reads them back; all of them must be there. */
export function usesKeys(slave: ClusterMember, prefix: string): Promise<string> {
  return tellingStalls(slave, async () => {
    const { written, found } = await writeAndRead(slave, prefix, KEYS);
    if (written === KEYS && found === KEYS) return `${KEYS} keys written and read by the slave`;
    throw new Error(`${slave.name}: of ${KEYS} keys ${written} were written and ${found} found`);
  });
}

/** Does some work with keys, and adds to its words how many clients had to be started again. */
export async function tellingStalls(
  slave: ClusterMember,
  work: () => Promise<string>,
): Promise<string> {
  const before = slave.stalledClients;
  const words = await work();
  const stalled = slave.stalledClients - before;
  return stalled === 0 ? words : `${words} (clients without an answer: ${stalled})`;
}

/**
 * Does some work while a slave writes and reads keys all the time. How many it reads back meanwhile
 * is told and not judged: a ring that merges refuses some requests.
 */
export async function withTraffic(
  slave: ClusterMember,
  prefix: string,
  work: () => Promise<unknown>,
): Promise<string> {
  let done = false;
  const working = work().finally(() => {
    done = true;
  });
  let asked = 0;
  let found = 0;
  const traffic = async (): Promise<void> => {
    for (let batch = 0; !done; batch++) {
      const read = await writeAndRead(slave, `${prefix}-${batch}-`, BATCH);
      asked += BATCH;
      found += read.found;
    }
  };
  return tellingStalls(slave, async () => {
    await Promise.all([working, traffic()]);
    if (asked === 0 || found === 0) throw new Error(`${slave.name} read none of ${asked} keys`);
    return `meanwhile the slave read back ${found} of ${asked} keys`;
  });
}

async function writeAndRead(
  slave: ClusterMember,
  prefix: string,
  count: number,
): Promise<{ written: number; found: number }> {
  const tool = (lines: readonly string[]): Promise<string> => slave.keyTool(lines);
  const written = await writeKeys(tool, prefix, count);
  const { found } = await readKeys(tool, prefix, count);
  return { written, found };
}
