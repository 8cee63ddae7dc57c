import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  effective,
  forNode,
  inRingOrder,
  sameModel,
  serverOf,
  slaveOf,
  type ClusterModel,
} from '../../../src/ini/model/model.ts';
import { models } from '../models.ts';
import { CUK1, CUK3, roleModel } from '../roles.ts';

const node = (name: string, controlPort: number) => ({ name, controlPort, settings: new Map() });

it('orders nodes by name in bytes, then by control port as a number', () => {
  const nodes = [node('b', 9), node('a', 10_000), node('B', 1), node('a', 9)];
  expect(inRingOrder(nodes).map(({ name, controlPort }) => `${name}:${controlPort}`)).toEqual([
    'B:1',
    'a:9',
    'a:10000',
    'b:9',
  ]);
  expect(nodes[0]?.name).toBe('b');
});

it('finds servers and slaves by CUK, each among its own kind', () => {
  const model = roleModel('threeServersOneSlave');
  const cuk = model.slaves.find((slave) => slave.cuk !== undefined)?.cuk ?? '';
  expect(serverOf(model, CUK3)?.cuk).toBe(CUK3);
  expect(slaveOf(model, CUK3)).toBeUndefined();
  expect(slaveOf(model, cuk)?.cuk).toBe(cuk);
  expect(serverOf(model, cuk)).toBeUndefined();
});

it('makes the model of one node from that of all, which stays as it is', () => {
  const model = roleModel();
  const { selfCuk } = model.global;
  expect(forNode(model, CUK1)).toEqual({ ...model, global: { ...model.global, selfCuk: CUK1 } });
  expect(model.global.selfCuk).toBe(selfCuk);
});

describe('sameModel', () => {
  const model = roleModel('threeServersOneSlave');
  const [first, ...rest] = model.servers;
  if (!first) throw new Error('no server in the role');
  const other: [string, ClusterModel][] = [
    ['group', { ...model, global: { ...model.global, group: 'another' } }],
    ['CUK of this node', forNode(model, 'another')],
    ['settings of [GLOBAL]', { ...model, global: { ...model.global, settings: new Map() } }],
    ['number of servers', { ...model, servers: rest }],
    ['order of the servers', { ...model, servers: [...rest, first] }],
    ['slaves', { ...model, slaves: [] }],
    ['[K2HDKC]', { ...model, k2hdkc: undefined }],
    ['settings of [K2HDKC]', { ...model, k2hdkc: new Map([...(model.k2hdkc ?? []), ['X', 1]]) }],
    ...(
      [
        ['name', { name: 'another' }],
        ['CUK', { cuk: 'another' }],
        ['port', { port: 1 }],
        ['control port', { controlPort: 1 }],
        ['seed', { seed: 'another' }],
        ['setting', { settings: new Map([['SSL', true]]) }],
      ] as const
    ).map(([what, change]): [string, ClusterModel] => [
      `${what} of a server`,
      { ...model, servers: [{ ...first, ...change }, ...rest] },
    ]),
  ];

  it.each(other)('sees another %s, whichever comes first', (_what, changed) => {
    expect(sameModel(model, changed)).toBe(false);
    expect(sameModel(changed, model)).toBe(false);
  });

  it('takes a copy, made in another order of settings, to say the same', () => {
    fc.assert(
      fc.property(models, (one) => {
        const copy = structuredClone(one);
        const settings = new Map([...copy.global.settings].toReversed());
        expect(sameModel(one, { ...copy, global: { ...copy.global, settings } })).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

it('uses the value given, or else what chmpx takes when there is none', () => {
  expect(effective('GLOBAL', new Map([['REPLICA', 3]]), 'REPLICA')).toBe(3);
  expect(effective('GLOBAL', new Map([['MAXQPERSERVERMQ', 0]]), 'MAXQPERSERVERMQ')).toBe(0);
  expect(effective('GLOBAL', new Map(), 'MAXQPERSERVERMQ')).toBe(8);
  expect(effective('GLOBAL', new Map(), 'DATE')).toBeUndefined();
  expect(effective('GLOBAL', new Map(), 'no such key')).toBeUndefined();
});
