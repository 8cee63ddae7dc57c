import { describe, expect, it } from 'vitest';
import { Failover } from '../../src/amqp/failover.ts';

interface Round {
  failover: Failover<string>;
  tried: string[];
  passedOver: unknown[];
  open: (one: string) => Promise<string>;
  dead: Set<string>;
}

function roundOf(first: number, ...dead: string[]): Round {
  const tried: string[] = [];
  const passedOver: unknown[] = [];
  const gone = new Set(dead);
  return {
    failover: new Failover(['a', 'b', 'c'], first, (why) => passedOver.push(why)),
    tried,
    passedOver,
    dead: gone,
    open: (one) => {
      tried.push(one);
      return gone.has(one) ? Promise.reject(new Error(`${one} is dead`)) : Promise.resolve(one);
    },
  };
}

const GOES_ON = new AbortController().signal;

describe('Failover', () => {
  it('begins where it is told, and goes on behind the last one that was opened', async () => {
    const { failover, open, tried } = roundOf(1);
    for (let i = 0; i < 4; i++) await failover.open(open, GOES_ON);
    expect(tried).toEqual(['b', 'c', 'a', 'b']);
  });

  it('passes over what is dead in the same round, and tells of it', async () => {
    const { failover, open, tried, passedOver } = roundOf(1, 'b', 'c');
    expect(await failover.open(open, GOES_ON)).toBe('a');
    expect(tried).toEqual(['b', 'c', 'a']);
    expect(passedOver).toEqual([new Error('b is dead'), new Error('c is dead')]);
  });

  it('fails with the reasons of all, in an order that stays the same', async () => {
    const { failover, open, passedOver } = roundOf(2, 'a', 'b', 'c');
    for (let i = 0; i < 2; i++) {
      await expect(failover.open(open, GOES_ON)).rejects.toMatchObject({
        message: 'c is dead; a is dead; b is dead',
        retryable: true,
      });
    }
    expect(passedOver).toEqual([]);
  });

  it('fails with the error of the only one as it is', async () => {
    const error = new Error('dead');
    const failover = new Failover(['a'], 0, () => undefined);
    await expect(failover.open(() => Promise.reject(error), GOES_ON)).rejects.toBe(error);
  });

  it('ends a round that is aborted', async () => {
    const ending = new AbortController();
    const { failover, open, tried } = roundOf(0, 'a', 'b');
    const endThen = (one: string): Promise<string> => {
      ending.abort();
      return open(one);
    };
    await expect(failover.open(endThen, ending.signal)).rejects.toThrow('a is dead');
    expect(tried).toEqual(['a']);
  });
});
