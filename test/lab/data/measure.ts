import { systemClock } from '../../../src/base/clock.ts';
import { messageOf } from '../../../src/base/errors.ts';
import { readKeys, writeKeys } from '../../helpers/ring-keys.ts';
import { AgentLogs } from './agent-logs.ts';
import type { DataRing } from './data-ring.ts';
import { Load, type LoadOptions } from './load.ts';
import { changeTimes } from './phases.ts';
import type { Row } from './report.ts';

/** How much is measured; numbers as they were given. */
export interface Amounts {
  keys: string;
  runs: string;
  servers: string;
  writer: boolean;
  writers: string;
  readers: string;
  rate: string;
  retry: string;
  crash: boolean;
}

/** Fills a ring and changes it again and again; every change becomes a row. */
export async function measure(
  ring: DataRing,
  way: string,
  amounts: Amounts,
  report: (row: Row) => void,
): Promise<void> {
  const total = Number(amounts.keys);
  const since = systemClock.monotonic();
  await ring.form(Number(amounts.servers));
  const seconds = (systemClock.monotonic() - since) / 1000;
  const acknowledged = await writeKeys(ring.tool, 'k', total);
  const before = await readKeys(ring.tool, 'k', total);
  const note = `${acknowledged} acknowledged`;
  const keys = `${before.found}/${total}`;
  report({ way, change: 'start', seconds, keys, written: '-', note, clients: null, times: null });
  const load: LoadOptions = {
    writers: Math.max(Number(amounts.writers), amounts.writer ? 1 : 0),
    readers: Number(amounts.readers),
    rate: Number(amounts.rate),
    retryMs: Number(amounts.retry),
    keys: total,
  };
  const clients = await Promise.all(
    Array.from({ length: load.writers + load.readers }, () => ring.client()),
  );
  const logs = ring.agents ? new AgentLogs(ring.agents.directory) : null;
  for (let run = 1; run <= Number(amounts.runs); run += 1) {
    let fresh = 0;
    const step = async (change: string, work: () => Promise<void>): Promise<boolean> => {
      const start = systemClock.monotonic();
      const running = clients.length > 0 ? new Load(clients, `w${run}${change}`, load) : null;
      const failure = await work().then(() => '', messageOf);
      const end = systemClock.monotonic();
      const seen = (await running?.end()) ?? null;
      const old = await readKeys(ring.tool, 'k', total);
      const recent = fresh > 0 ? await readKeys(ring.tool, `n${run}.`, FRESH) : null;
      const node = ring.agents?.changing ?? '';
      report({
        way,
        change: `${change} ${run}`,
        seconds: (end - start) / 1000,
        keys: `${old.found}/${total}`,
        written: recent ? `${recent.found}/${fresh}` : '-',
        note: failure,
        clients: seen,
        times: logs ? changeTimes(logs.lines, node, [start, end]) : null,
      });
      return failure === '';
    };
    const grown = await step('grow', () => ring.grow());
    fresh = await writeKeys(ring.tool, `n${run}.`, FRESH);
    // A change that was undone leaves the ring as it was: it can be asked for again.
    const shrink = (change: string): Promise<boolean> => step(change, () => ring.shrink());
    if (!grown || !((await shrink('shrink')) || (await shrink('again')))) break;
    if (!amounts.crash) continue;
    await step('crash', () => ring.crash());
    await step('rejoin', () => ring.rejoin());
  }
  await Promise.all(clients.map((client) => client.close()));
  await logs?.close();
}

/** Keys that are written after every grow. */
const FRESH = 500;
