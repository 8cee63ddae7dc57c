import { expect, it } from 'vitest';
import { dialOptions } from '../../src/host/dial.ts';
import { ManualClock } from '../base/manual-clock.ts';

const V4 = { address: '192.0.2.1', family: 4 };
const V6 = { address: '2001:db8::1', family: 6 };

/** The options for a host with these addresses, which are found after `tookMs`. */
async function dialing(found: (typeof V4)[], tookMs = 0) {
  const clock = new ManualClock();
  const find = async (): Promise<typeof found> => {
    await clock.advance(tookMs);
    return found;
  };
  return dialOptions('h', { limitMs: 5_000, clock, find });
}

/** What node:net is told when it asks like this. */
async function told(question: object): Promise<unknown> {
  const { lookup } = await dialing([V6, V4]);
  return new Promise((resolve) => {
    lookup?.('h', question, (error, ...found) => resolve(error?.message ?? found));
  });
}

it.each([
  ['one address', [V4], 5_000],
  ['an A and an AAAA record', [V6, V4], 2_500],
  ['four addresses', [V6, V4, V6, V4], 1_250],
  ['more addresses than there is time for', Array(100).fill(V4) as (typeof V4)[], 250],
])('a host with %s gets its share of the time for each', async (_what, found, ms) => {
  expect(await dialing(found)).toMatchObject({
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ms,
  });
});

it('the time that the search for addresses has taken is not shared out again', async () => {
  const options = await dialing([V6, V4], 3_000);
  expect(options.autoSelectFamilyAttemptTimeout).toBe(1_000);
});

it.each(['192.0.2.1', '2001:db8::1'])('%s is asked nobody about', async (address) => {
  const nobody = (): never => expect.fail('asked');
  const dialled = { limitMs: 5_000, clock: new ManualClock(), find: nobody };
  expect(await dialOptions(address, dialled)).toEqual({});
});

it('node:net is told what is known, in the form and of the family that it asks for', async () => {
  expect(await told({ all: true })).toEqual([[V6, V4]]);
  expect(await told({ all: true, family: 4 })).toEqual([[V4]]);
  expect(await told({ family: 6 })).toEqual(['2001:db8::1', 6]);
  const { lookup } = await dialing([V4]);
  const answer = new Promise((resolve) => lookup?.('h', { family: 6 }, resolve));
  expect(await answer).toMatchObject({ code: 'ENOTFOUND', message: 'h has no IPv6 address' });
});
