import { describe, expect, it } from 'vitest';
import { Alarm, Changes, withDeadline } from '../../src/base/wait.ts';
import { deferred } from '../helpers/deferred.ts';
import { WatchedClock } from './watched-clock.ts';

/** Counts how many of the promises have resolved by now. */
function counter(...promises: Promise<void>[]): { woken: number } {
  const count = { woken: 0 };
  for (const promise of promises) {
    void promise.then(() => {
      count.woken++;
    });
  }
  return count;
}

describe('withDeadline', () => {
  const late = () => new Error('too late');

  it('settles like the work, and leaves no timer', async () => {
    const clock = new WatchedClock();
    await expect(withDeadline(clock, 100, Promise.resolve(7), late)).resolves.toBe(7);
    await expect(withDeadline(clock, 100, Promise.reject(new Error('no')), late)).rejects.toThrow(
      'no',
    );
    expect(clock.delays).toEqual([]);
  });

  it('rejects when the time is up, and what becomes of the work later harms nobody', async () => {
    const clock = new WatchedClock();
    const work = deferred();
    const waiting = expect(withDeadline(clock, 100, work.promise, late)).rejects.toThrow(
      'too late',
    );
    await clock.advance(100);
    await waiting;
    // A rejection that nobody handles would end the process, and this test run.
    work.reject(new Error('failed long after'));
    await clock.advance(0);
  });
});

describe('Changes', () => {
  it('wakes all who wait, and nobody who comes after', async () => {
    const clock = new WatchedClock();
    const changes = new Changes();
    const early = counter(changes.wait(clock, 1_000), changes.wait(clock, 1_000));
    changes.notify();
    const after = counter(changes.wait(clock, 1_000));
    await clock.advance(0);
    expect(early.woken).toBe(2);
    expect(after.woken).toBe(0);
    expect(clock.delays).toEqual([1_000]);
  });

  it('wakes when the time is up or the signal aborts, and leaves nothing behind', async () => {
    const clock = new WatchedClock();
    const changes = new Changes();
    const stop = new AbortController();
    const waiters = counter(changes.wait(clock, 10), changes.wait(clock, 1_000, stop.signal));
    await clock.advance(10);
    expect(waiters.woken).toBe(1);
    stop.abort();
    await clock.advance(0);
    expect(waiters.woken).toBe(2);
    await changes.wait(clock, 1_000, stop.signal);
    expect(clock.delays).toEqual([]);
  });

  it('can be waited at again by what it wakes', async () => {
    const clock = new WatchedClock();
    const changes = new Changes();
    let rounds = 0;
    const loop = async (): Promise<void> => {
      for (;;) {
        await changes.wait(clock, 1_000);
        rounds++;
      }
    };
    void loop();
    for (let n = 1; n <= 3; n++) {
      changes.notify();
      await clock.advance(0);
      expect(rounds).toBe(n);
    }
  });
});

describe('Alarm', () => {
  it('wakes its listener', async () => {
    const clock = new WatchedClock();
    const alarm = new Alarm();
    const listener = counter(alarm.wait(clock, 1_000));
    alarm.ring();
    await clock.advance(0);
    expect(listener.woken).toBe(1);
    expect(clock.delays).toEqual([]);
  });

  it('keeps one ring for a listener that is busy', async () => {
    const clock = new WatchedClock();
    const alarm = new Alarm();
    alarm.ring();
    alarm.ring();
    await alarm.wait(clock, 1_000);
    const again = counter(alarm.wait(clock, 1_000));
    await clock.advance(999);
    expect(again.woken).toBe(0);
    await clock.advance(1);
    expect(again.woken).toBe(1);
  });

  it('does not keep the ring that woke its listener', async () => {
    const clock = new WatchedClock();
    const alarm = new Alarm();
    const first = alarm.wait(clock, 1_000);
    alarm.ring();
    await first;
    const second = counter(alarm.wait(clock, 1_000));
    await clock.advance(500);
    expect(second.woken).toBe(0);
  });

  it('ends with its signal', async () => {
    const clock = new WatchedClock();
    const stop = new AbortController();
    const waiting = new Alarm().wait(clock, 1_000, stop.signal);
    stop.abort();
    await waiting;
    expect(clock.delays).toEqual([]);
  });
});
