import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Neighbours, type Neighbour } from '../../src/ring/neighbours.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { until } from '../helpers/until.ts';
import { WatchedClock } from '../base/watched-clock.ts';
import { IN } from '../node/builders.ts';

const answerWith = (cuk: string): string =>
  ['RING Name = ring', 'No.1', 'Server Name = a', 'Control Port = 8021', `CUK = ${cuk}`]
    .concat(['Custom ID Seed = s', `Server Status = 0x21(SAFE -> ${IN})`])
    .join('\n');
const LISTED = answerWith('cuk-1');
const NOT_LISTED = answerWith('cuk-2');
/** A chmpx can close without a word. */
const DENIED = '';

/** A chmpx that answers ALLSTATUS as it is told to, and notes what it was asked. */
async function server(answers: string[], before = false) {
  const asked: string[] = [];
  const listener = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data) => {
      asked.push(data.toString());
      socket.end((answers.length > 1 ? answers.shift() : answers[0]) ?? DENIED);
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  onTestFinished(() => void listener.close());
  const { port } = listener.address() as AddressInfo;
  const neighbour: Neighbour = { name: '127.0.0.1', controlPort: port, before };
  return { asked, neighbour, close: () => listener.close() };
}

/** Somebody whose port nobody listens on. */
async function nobody(before: boolean): Promise<Neighbour> {
  const { neighbour, close } = await server([], before);
  close();
  return neighbour;
}

function bench() {
  const clock = new WatchedClock();
  const { log, lines } = recordingLog();
  const neighbours = new Neighbours({
    clock,
    random: () => 0,
    log,
    askLimitMs: 20_000,
    roleReadMs: (servers) => 6_000 + 100 * servers,
  });
  const seen = (of: Neighbour[], self: string | null | undefined) =>
    until('the others were looked at', () => neighbours.look(of, self));
  return { clock, lines, neighbours, seen };
}

it('counts who listens, and who of those before this node does not', async () => {
  const { seen, neighbours } = bench();
  const [up] = [await server([LISTED])];
  const others = [up.neighbour, await nobody(true), await nobody(false)];
  expect(neighbours.look(others, undefined)).toBeNull();
  expect(await seen(others, undefined)).toMatchObject({ up: 1, absentBefore: 1, unaware: 0 });
});

it('asks nobody when they know this node, or when none of them runs', async () => {
  const { clock, seen } = bench();
  const up = await server([LISTED]);
  await seen([up.neighbour], undefined);
  expect(clock.delays).toEqual([]);
  await clock.advance(60_000);
  expect(up.asked).toEqual([]);
  const absent = await nobody(true);
  expect(await seen([absent], 'cuk-1')).toMatchObject({ up: 0, absentBefore: 1, unaware: 0 });
  expect(clock.delays).toEqual([]);
});

it('asks who runs, after a while and then every second, until each lists this node', async () => {
  const { clock, seen, neighbours } = bench();
  const slow = await server([DENIED, NOT_LISTED, LISTED]);
  const quick = await server([LISTED]);
  const others = [slow.neighbour, quick.neighbour];
  const view = () => neighbours.look(others, 'cuk-1');
  expect(await seen(others, 'cuk-1')).toMatchObject({ up: 2, unaware: 2, settledMs: 0 });
  await clock.advance(1_900);
  expect([...slow.asked, ...quick.asked]).toEqual([]);
  await clock.advance(100);
  await until('one of them knows this node', () => view()?.unaware === 1);
  // Its timer says that the answer was heard: an answer itself takes no time on this clock.
  await until('it pauses', () => clock.delays.includes(1_000));
  expect(slow.asked).toHaveLength(1);
  await clock.advance(1_000);
  await until('it pauses again', () => slow.asked.length === 2 && clock.delays.includes(1_000));
  await clock.advance(1_000);
  await until('both know it', () => view()?.unaware === 0);
  await clock.advance(700);
  expect(view()).toMatchObject({ unaware: 0, settledMs: 700 });
  await clock.advance(60_000);
  expect([slow.asked, quick.asked]).toEqual([Array(3).fill('ALLSTATUS'), ['ALLSTATUS']]);
});

it('goes on without those that never say so, and says it once', async () => {
  const { clock, lines, seen, neighbours } = bench();
  const deaf = await server([DENIED]);
  await seen([deaf.neighbour], 'cuk-1');
  await clock.advance(19_900);
  expect(neighbours.look([deaf.neighbour], 'cuk-1')).toMatchObject({ unaware: 1 });
  await clock.advance(100);
  expect(neighbours.look([deaf.neighbour], 'cuk-1')).toMatchObject({ unaware: 0 });
  await clock.advance(60_000);
  expect(lines).toMatchObject([{ servers: ['127.0.0.1'], level: 40 }]);
});

describe('a slave, which no answer lists', () => {
  it('asks nobody, and waits until the servers that run have read the role', async () => {
    const { clock, seen, neighbours } = bench();
    const up = await server([NOT_LISTED]);
    expect(await seen([up.neighbour], null)).toMatchObject({ up: 1, unaware: 1 });
    await clock.advance(6_000);
    expect(neighbours.look([up.neighbour], null)).toMatchObject({ unaware: 1, settledMs: 0 });
    await clock.advance(100);
    expect(neighbours.look([up.neighbour], null)).toMatchObject({ unaware: 0 });
    expect(up.asked).toEqual([]);
  });

  it('waits no longer for a list that has changed, nor after its chmpx has run', async () => {
    const { clock, seen, neighbours } = bench();
    const first = await server([NOT_LISTED]);
    const second = await server([NOT_LISTED]);
    await seen([first.neighbour], null);
    await clock.advance(5_000);
    const both = [first.neighbour, second.neighbour];
    expect(await seen(both, null)).toMatchObject({ up: 2, unaware: 2 });
    await clock.advance(1_200);
    expect(neighbours.look(both, null)).toMatchObject({ unaware: 0 });
    neighbours.forget();
    await seen(both, null);
    await until('it may start again', () => neighbours.look(both, null)?.unaware === 0);
  });

  it('waits for nobody when no server runs', async () => {
    const { seen } = bench();
    expect(await seen([await nobody(false)], null)).toMatchObject({ up: 0, unaware: 0 });
  });
});

it('begins anew with another list, and ends its questions when chmpx runs', async () => {
  const { clock, seen, neighbours } = bench();
  const first = await server([NOT_LISTED]);
  const second = await server([NOT_LISTED]);
  await seen([first.neighbour], 'cuk-1');
  await seen([first.neighbour, second.neighbour], 'cuk-1');
  await clock.advance(2_000);
  await until('both were asked', () => second.asked.length === 1 && first.asked.length === 1);
  neighbours.forget();
  await until('all timers are gone', () => clock.delays.length === 0);
});
