import { describe, expect, it } from 'vitest';
import { InFlight } from '../../src/amqp/in-flight.ts';

describe('InFlight', () => {
  it('is idle when nothing runs', async () => {
    await new InFlight().idle();
  });

  it('waits for what runs, for what fails, and for what begins meanwhile', async () => {
    const inFlight = new InFlight();
    const order: string[] = [];
    let endFirst: () => void = () => undefined;
    let failSecond: (error: Error) => void = () => undefined;
    const first = inFlight.track(new Promise<void>((resolve) => (endFirst = resolve)));
    const idle = inFlight.idle().then(() => order.push('idle'));
    const second = inFlight.track(new Promise<void>((_, reject) => (failSecond = reject)));
    const failed = expect(second).rejects.toThrow('second');
    endFirst();
    await first;
    order.push('first');
    failSecond(new Error('second'));
    await failed;
    await idle;
    expect(order).toEqual(['first', 'idle']);
  });
});
