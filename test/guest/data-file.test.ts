import { expect, it } from 'vitest';
import { dataFileOf } from '../../src/guest/data-file.ts';
import type { DesiredState } from '../../src/node/desired-state.ts';
import type { RoleView } from '../../src/role/role-view.ts';
import { desiredState, observed, ROLE } from '../node/builders.ts';

const K2H = { file: '/data/k2hdkc.k2h' } as NonNullable<RoleView['k2h']>;

function fileOf(wish: Partial<DesiredState>, role: Partial<RoleView>): Promise<string> {
  const snapshot = {
    desired: desiredState(wish),
    observed: observed({ role: { ...ROLE, ...role } }),
    state: 'serving' as const,
    step: { kind: 'rest', why: 'serving' } as const,
  };
  return dataFileOf({
    until: (isSo) =>
      isSo(snapshot) ? Promise.resolve(snapshot) : Promise.reject(new Error('it waits')),
  });
}

it('is the one of the role', async () => {
  expect(await fileOf({}, { k2h: K2H })).toBe('/data/k2hdkc.k2h');
});

it('of a stopped node, or with a role that has a problem now, is the one known', async () => {
  const wish = { stopped: { bootId: null } };
  expect(await fileOf(wish, { k2h: K2H, problem: 'K2HR3 is away' })).toBe('/data/k2hdkc.k2h');
});

it.each<[string, Partial<DesiredState>, Partial<RoleView>]>([
  ['prepare is not over, or has failed', { phase: 'preparing' }, { k2h: K2H }],
  ['prepare is not over, or has failed', { phase: 'failed' }, { k2h: K2H }],
  ['it is a member of no cluster', { parameters: null }, { k2h: K2H }],
  ['K2HR3 is away', {}, { problem: 'K2HR3 is away' }],
  ['its cluster keeps the data in memory (K2HTYPE or K2HFILE of the role)', {}, {}],
])('there is none: %s', async (why, wish, role) => {
  await expect(fileOf(wish, role)).rejects.toMatchObject({
    name: 'AgentError',
    message: `this instance has no data to back up: ${why}`,
  });
});
