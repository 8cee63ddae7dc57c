import { expect, it } from 'vitest';
import { Listening } from '../../../src/ring/watch/listening.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { server } from '../rings.ts';

/** Servers a and b, which are down in the ring, and one of which listens at first. */
function bench() {
  const clock = new ManualClock();
  const lost = [server('a', 'IN DOWN'), server('b', 'IN DOWN')];
  const listening = new Set(['a']);
  const asked: string[] = [];
  const watch = new Listening(({ name }) => {
    asked.push(name);
    return Promise.resolve(listening.has(name));
  }, clock);
  /** A second passes; who has listened for at least three? */
  const look = async (of = lost): Promise<string[]> => {
    await clock.advance(1_000);
    return (await watch.look(of, 3_000)).map(({ name }) => name);
  };
  return { watch, lost, listening, asked, look };
}

it('names a server that has listened at every look for long enough', async () => {
  const { listening, look } = bench();
  expect([await look(), await look(), await look()]).toEqual([[], [], []]);
  listening.add('b');
  expect([await look(), await look(), await look()]).toEqual([['a'], ['a'], ['a']]);
  expect(await look()).toEqual(['a', 'b']);
});

it('begins again with one that did not listen once', async () => {
  const { listening, look } = bench();
  for (let second = 0; second < 3; second++) await look();
  listening.delete('a');
  expect(await look()).toEqual([]);
  listening.add('a');
  expect([await look(), await look(), await look()]).toEqual([[], [], []]);
  expect(await look()).toEqual(['a']);
});

it('begins again with one that was up meanwhile, and asks nobody who is up', async () => {
  const { lost, asked, look } = bench();
  for (let second = 0; second < 3; second++) await look();
  asked.length = 0;
  expect(await look(lost.slice(1))).toEqual([]);
  expect(asked).toEqual(['b']);
  expect(await look()).toEqual([]);
});

it('begins again with all when it is made to forget', async () => {
  const { watch, look } = bench();
  for (let second = 0; second < 3; second++) await look();
  watch.forget();
  expect(await look()).toEqual([]);
});

it('tells servers apart that have one name', async () => {
  const { look } = bench();
  const one = server('a', 'IN DOWN');
  for (let second = 0; second < 3; second++) await look([one]);
  const other = { ...one, controlPort: one.controlPort + 1 };
  expect(await look([other])).toEqual([]);
});
