import { expect, it } from 'vitest';
import type { ClusterModel, SlaveNode } from '../../../src/ini/model/model.ts';
import { oneEntryPerSlave } from '../../../src/ini/model/namesakes.ts';
import { roleModel } from '../roles.ts';

const slave = (name: string, cuk: string | undefined, controlPort = 8031): SlaveNode => ({
  name,
  controlPort,
  seed: name,
  settings: new Map([['SSL', false]]),
  ...(cuk === undefined ? {} : { cuk }),
});
const modelOf = (...slaves: SlaveNode[]): ClusterModel => ({ ...roleModel(), slaves });
const cuksIn = (model: ClusterModel, self = 'server'): (string | undefined)[] =>
  oneEntryPerSlave(model, self).slaves.map(({ cuk }) => cuk);

it('leaves a role alone in which each slave has a name of its own, or a control port', () => {
  const model = modelOf(slave('a', 'cuk-1'), slave('a', 'cuk-2', 8032), slave('b', 'cuk-3'));
  expect(oneEntryPerSlave(model, 'server')).toBe(model);
});

it('makes one entry of those of one name, which stands for each, in any order', () => {
  const [one, two, three] = ['cuk-1', 'cuk-2', 'cuk-3'].map((cuk) => slave('a', cuk));
  if (!one || !two || !three) throw new Error('three slaves');
  expect(cuksIn(modelOf(three, one, slave('b', 'cuk-4'), two))).toEqual([
    'cuk-1|cuk-2|cuk-3',
    'cuk-4',
  ]);
  expect(oneEntryPerSlave(modelOf(three, one, two), 'server').slaves).toEqual([
    { ...one, cuk: 'cuk-1|cuk-2|cuk-3' },
  ]);
  expect(cuksIn(modelOf(slave('a', undefined), one, one))).toEqual(['cuk-1']);
  expect(cuksIn(modelOf(slave('a', undefined), slave('a', undefined)))).toEqual([undefined]);
});

it('keeps only its own for the slave that reads the ini', () => {
  const all = ['cuk-1', 'cuk-2', 'cuk-3'].map((cuk) => slave('a', cuk));
  for (const self of ['cuk-1', 'cuk-2', 'cuk-3']) {
    expect(cuksIn(modelOf(...all), self)).toEqual([self]);
  }
});

it('never makes a CUK that is longer than chmpx keeps', () => {
  const all = Array.from({ length: 300 }, (_, n) => slave('a', `cuk-${n}`.padEnd(36, 'x')));
  const [cuk = ''] = cuksIn(modelOf(...all));
  expect(cuk.length).toBeGreaterThan(1_800);
  expect(cuk.length).toBeLessThanOrEqual(2_047);
});
