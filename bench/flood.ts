import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { sleep, systemClock } from '../src/base/clock.ts';
import { encodeEnvelope, type JsonObject } from '../src/oslo/envelope.ts';
import { Cipher } from '../src/trove/cipher.ts';
import { RawCaller } from '../test/helpers/raw-caller.ts';
import { quantile } from '../test/helpers/quantile.ts';
import { until } from '../test/helpers/until.ts';
import { cpuSecondsOf, memoryOf } from './figures.ts';
import { agent, bareConsumer, start, type Guest } from './guests.ts';
import { onStage } from './on-stage.ts';

const HELP = `npm run bench:flood -- [options]

Floods this agent with messages of somebody who has the broker's login and not the guest's key, on a
RabbitMQ of its own, and prints how long rpc_ping takes and how much memory the agent has before,
during and after that; then a bare consumer with amqplib, which is the least that anybody could have.
  --messages N    how many hostile messages (default 100000)
  --window N      so many are on their way at once (default 200)
`;

const MEGABYTE = 1_000_000;
const stranger = new Cipher('the key of another guest, say it');

/** What a stranger sends, in turn; now and then something large. */
const KINDS: ((n: number) => Buffer | JsonObject)[] = [
  (n) => ({ method: 'rpc_ping', args: {}, _msg_id: `m${n}`, _reply_q: `reply_${n}` }),
  (n) => ({ method: 'rpc_ping', args: {}, _unique_id: `u${n}` }),
  () => Buffer.from('no JSON'),
  (n) => ({ method: `m${n}`, args: {}, _msg_id: `m${n}`, _reply_q: `reply_${n}`, version: '1.9' }),
  (n) => ({
    method: 'restart',
    args: { a: stranger.encryptJson(n) },
    _context_context: stranger.encryptJson({ request_id: 'r' }),
    _msg_id: `m${n}`,
    _reply_q: `reply_${n}`,
    _unique_id: randomUUID(),
  }),
  () => ({ method: 'stop_db', args: {}, _unique_id: 'the same again' }),
  (n) => ({
    method: n % 100 === 6 ? `a${' '.repeat(100_000)}b` : `a${' '.repeat(100)}b`,
    args: {},
  }),
  (n) => (n % 10_000 === 7 ? Buffer.alloc(5 * MEGABYTE, 'x') : Buffer.alloc(500, '[')),
];

function hostile(n: number): Buffer {
  const made = KINDS[n % KINDS.length]?.(n) ?? Buffer.alloc(0);
  return Buffer.isBuffer(made) ? made : encodeEnvelope(made);
}

/** Calls rpc_ping until `over`; the times in milliseconds, and the most memory in between (MiB). */
async function watch(caller: RawCaller, pid: number, over: Promise<unknown>) {
  const times: number[] = [];
  let resident = 0;
  const ended = new AbortController();
  void over.finally(() => ended.abort());
  do {
    const begun = systemClock.monotonic();
    await caller.call('rpc_ping', {}, { seconds: 600, everyMs: 1 });
    times.push(systemClock.monotonic() - begun);
    resident = Math.max(resident, memoryOf(pid).resident);
    await sleep(systemClock, 50);
  } while (!ended.signal.aborted);
  return { times, resident };
}

async function flood(caller: RawCaller, messages: number, window: number): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < messages) await caller.publish(hostile(next++));
  };
  await Promise.all(Array.from({ length: window }, one));
}

function say(what: string, { times, resident }: { times: number[]; resident: number }): void {
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  process.stdout.write(
    `  ${what.padEnd(9)} rpc_ping median ${ms(quantile(times, 0.5))}, p99 ${ms(quantile(times, 0.99))}, ` +
      `longest ${ms(Math.max(...times))} (${times.length} calls); RSS at most ${resident.toFixed(1)} MiB\n`,
  );
}

/** What the run is asked for. */
interface Flood {
  messages: number;
  window: number;
}

/** Starts a guest, floods it, and prints how it did before, during and after that. */
async function measure(guest: Guest, url: string, key: string | null, asked: Flood): Promise<void> {
  process.stdout.write(`${guest.name}\n`);
  const running = await start(guest);
  const about = { transportUrl: url, exchange: 'trove', id: guest.id };
  const trove = await RawCaller.open({ ...about, key });
  const other = await RawCaller.open({ ...about, key: null });
  try {
    // What is sent before the guest has its queue is lost.
    const answers = (): Promise<unknown> => trove.call('rpc_ping', {}, { seconds: 1 });
    await until('the guest answers', () => answers().catch(() => undefined));
    say('peaceful', await watch(trove, running.pid, sleep(systemClock, 5_000)));
    const begun = systemClock.monotonic();
    const cpu = cpuSecondsOf(running.pid);
    const sending = flood(other, asked.messages, asked.window);
    say('flooded', await watch(trove, running.pid, sending));
    const seconds = (systemClock.monotonic() - begun) / 1_000;
    process.stdout.write(`  ${asked.messages} messages sent in ${seconds.toFixed(1)} s\n`);
    say('after', await watch(trove, running.pid, sleep(systemClock, 10_000)));
    const used = (cpuSecondsOf(running.pid) - cpu).toFixed(1);
    process.stdout.write(`  ${used} s of CPU time since the flood began\n`);
  } finally {
    await trove.close();
    await other.close();
    await running.stop();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean' },
      messages: { type: 'string', default: '100000' },
      window: { type: 'string', default: '200' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const asked = { messages: Number(values.messages), window: Number(values.window) };
  await onStage(async ({ stage, programs, directory }) => {
    const url = stage.broker.url(stage.vhost);
    const actor = await stage.actor('flooded');
    const folder = path.dirname(programs.program('chmpx'));
    const guest = agent('this agent', actor, { environment: programs.environment, folder });
    await measure(guest, url, guest.key, asked);
    await measure(bareConsumer(path.join(directory, 'bare'), url), url, null, asked);
  });
}

await main();
