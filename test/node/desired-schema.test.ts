import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { desiredSchema } from '../../src/node/desired-schema.ts';
import { NEW_NODE } from '../../src/node/desired-state.ts';
import { desiredState } from './builders.ts';

/** Where the first mistake is; null: none. */
function mistake(state: unknown): string | null {
  const parsed = v.safeParse(desiredSchema, JSON.parse(JSON.stringify(state)));
  return parsed.success ? null : (v.getDotPath(parsed.issues[0]) ?? 'the whole');
}

it.each([
  ['a new node', NEW_NODE],
  ['a member', desiredState()],
  ['one that is stopped', desiredState({ stopped: { bootId: null } })],
  ['one that shrinks', desiredState({ shrinking: { rejoinAt: 5 } })],
  [
    'one with a volume',
    desiredState({ volume: { device: '/dev/b', mountPoint: '/d', uuid: null } }),
  ],
  ['what an older agent has written', { version: 1, phase: 'prepared' }],
  ['what a newer one has added', { ...desiredState(), later: { x: 1 } }],
])('%s is as it should be', (_, state) => {
  expect(mistake(state)).toBeNull();
});

describe('a value of the wrong kind is found, in each field', () => {
  const { registration } = desiredState();
  it.each<[string, object]>([
    ['version', { version: 2 }],
    ['mode', { mode: 'both' }],
    ['phase', { phase: 'done' }],
    ['preparingSince', { preparingSince: 'now' }],
    ['failure', { failure: 1 }],
    ['clustered', { clustered: 'yes' }],
    ['installing', { installing: 0 }],
    ['installedBy', { installedBy: {} }],
    ['parameters.clusterName', { parameters: { extdataUrl: 'http://x' } }],
    ['parameters.extdataUrl', { parameters: { clusterName: 'c', extdataUrl: null } }],
    ['parameters.serverPort', { parameters: { ...desiredState().parameters, serverPort: '80' } }],
    ['restoring', { restoring: true }],
    ['stopped.bootId', { stopped: {} }],
    ['shrinking.rejoinAt', { shrinking: { rejoinAt: null } }],
    ['volume.mountPoint', { volume: { device: '/dev/b', uuid: null } }],
    ['generation', { generation: 7 }],
    ['registration.roleToken', { registration: { ...registration, roleToken: 1 } }],
    ['registration.parametersKey', { registration: { ...registration, parametersKey: null } }],
  ])('%s', (field, change) => {
    expect(mistake({ ...desiredState(), ...change })).toBe(field);
  });
});

it.each([[null], [[]], ['text'], [5]])('%j is no state', (state) => {
  expect(mistake(state)).not.toBeNull();
});
