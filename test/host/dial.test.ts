import { expect, it } from 'vitest';
import { dialOptions } from '../../src/host/dial.ts';

const V4 = { address: '192.0.2.1', family: 4 };
const V6 = { address: '2001:db8::1', family: 6 };

/** What node:net is told when it asks like this. */
async function told(question: object): Promise<unknown> {
  const { lookup } = await dialOptions('h', 5_000, () => Promise.resolve([V6, V4]));
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
  const options = await dialOptions('h', 5_000, () => Promise.resolve(found));
  expect(options).toMatchObject({ autoSelectFamily: true, autoSelectFamilyAttemptTimeout: ms });
});

it.each(['192.0.2.1', '2001:db8::1'])('%s is asked nobody about', async (address) => {
  const nobody = (): never => expect.fail('asked');
  expect(await dialOptions(address, 5_000, nobody)).toEqual({});
});

it('node:net is told what is known, in the form and of the family that it asks for', async () => {
  expect(await told({ all: true })).toEqual([[V6, V4]]);
  expect(await told({ all: true, family: 4 })).toEqual([[V4]]);
  expect(await told({ family: 6 })).toEqual(['2001:db8::1', 6]);
  const { lookup } = await dialOptions('h', 5_000, () => Promise.resolve([V4]));
  const answer = new Promise((resolve) => lookup?.('h', { family: 6 }, resolve));
  expect(await answer).toMatchObject({ code: 'ENOTFOUND', message: 'h has no IPv6 address' });
});
