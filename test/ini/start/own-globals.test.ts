import { describe, expect, it } from 'vitest';
import type { Scalar } from '../../../src/ini/model/keys.ts';
import type { ClusterModel } from '../../../src/ini/model/model.ts';
import { isOwnChoice, ledByAgents, withLongQueues } from '../../../src/ini/start/own-globals.ts';
import { roleModel, set } from '../roles.ts';

const QUEUES = ['MAXQPERSERVERMQ', 'MAXQPERCLIENTMQ'];
const ROOMY = 64;
const NOTHING_FIXED = new Map<string, Scalar>();

const queuesOf = (model: ClusterModel): unknown[] =>
  QUEUES.map((key) => model.global.settings.get(key));

it('leaves merges to the agents, whatever the role says, and keeps the rest of it', () => {
  const settings = new Map<string, Scalar>([
    ['AUTOMERGE', true],
    ['DOMERGE', false],
    ['REPLICA', 1],
  ]);
  const model = roleModel();
  const led = ledByAgents({ ...model, global: { ...model.global, settings } });
  expect(Object.fromEntries(led.global.settings)).toEqual({
    AUTOMERGE: false,
    DOMERGE: true,
    REPLICA: 1,
  });
  expect(settings.get('AUTOMERGE')).toBe(true);
});

describe('long queues', () => {
  it('take the place of shorter ones, also of the defaults of chmpx', () => {
    const model = roleModel();
    expect(queuesOf(withLongQueues(model, ROOMY, NOTHING_FIXED))).toEqual([64, 64]);
    const bare = { ...model, global: { ...model.global, settings: new Map() } };
    expect(queuesOf(withLongQueues(bare, ROOMY, NOTHING_FIXED))).toEqual([64, 64]);
  });

  it.each([0, ROOMY - 1])('are not for a kernel that allows %i messages', (messages) => {
    const model = roleModel();
    expect(withLongQueues(model, messages, NOTHING_FIXED)).toEqual(model);
  });

  it('shorten no queue that the role makes longer', () => {
    const model = roleModel('threeServers', set('MAXQPERSERVERMQ', '100'));
    expect(queuesOf(withLongQueues(model, ROOMY, NOTHING_FIXED))).toEqual([100, 64]);
  });

  it('leave alone what the operator has set', () => {
    const model = roleModel('threeServers', set('MAXQPERSERVERMQ', '9'));
    const fixed = new Map<string, Scalar>([['MAXQPERSERVERMQ', 9]]);
    expect(queuesOf(withLongQueues(model, ROOMY, fixed))).toEqual([9, 64]);
  });

  it('are known as the choice of the agent, which starts no program again', () => {
    expect(QUEUES.map((key) => isOwnChoice(`[GLOBAL] ${key}`, '64'))).toEqual([true, true]);
    expect(isOwnChoice('[GLOBAL] MAXQPERSERVERMQ', '63')).toBe(false);
    expect(isOwnChoice('[GLOBAL] MAXQPERSERVERMQ', undefined)).toBe(false);
    expect(isOwnChoice('[GLOBAL] MAXCHMPX', '64')).toBe(false);
  });
});
