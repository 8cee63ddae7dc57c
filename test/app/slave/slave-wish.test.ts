import { expect, it } from 'vitest';
import { slaveWish } from '../../../src/app/slave/slave-wish.ts';
import { parseAgentConfig } from '../../../src/config/load.ts';
import { fingerprintOf } from '../../../src/k2hr3/registration-record.ts';
import { NEW_NODE } from '../../../src/node/desired-state.ts';
import { parametersKey } from '../../../src/role/registration.ts';
import { PARAMETERS, desiredState, registrationFor } from '../../node/builders.ts';

const SECRET = 'http://192.0.2.1/v1/userdata/secret';
const CONFIG = parseAgentConfig('slave: { cluster_name: mycluster }\n', 'agent.yaml');

const wish = (current: Parameters<typeof slaveWish>[0]) =>
  slaveWish(current, CONFIG, { secret: SECRET });

it('is to be in the cluster of its source, whatever was wrong or stopped before', () => {
  const left = { ...NEW_NODE, failure: 'no', stopped: { bootId: null } };
  expect(wish(left)).toEqual({
    mode: 'slave',
    phase: 'prepared',
    failure: null,
    stopped: null,
    parameters: { clusterName: 'mycluster', extdataUrl: SECRET },
  });
});

it('needs no name of the cluster', () => {
  const config = parseAgentConfig('', 'agent.yaml');
  const { parameters } = slaveWish(NEW_NODE, config, { secret: SECRET });
  expect(parameters?.clusterName).toBe('');
});

it('stays registered as it was by the same source', () => {
  const registration = {
    ...registrationFor(PARAMETERS),
    extdataFingerprint: fingerprintOf(SECRET),
  };
  expect(wish(desiredState({ mode: 'slave', registration }))).not.toHaveProperty('registration');
});

it('leaves the role of another source: its registration is for nothing that is wanted', () => {
  const registration = registrationFor(PARAMETERS);
  const { parameters, registration: left } = wish(desiredState({ mode: 'slave', registration }));
  expect(left).toMatchObject({ cuk: registration.cuk, roleToken: registration.roleToken });
  expect(parameters && left?.parametersKey === parametersKey(parameters)).toBe(false);
  expect(left?.parametersKey).not.toBe(registration.parametersKey);
});

it('is refused where Trove has prepared a server', () => {
  expect(() => wish(desiredState())).toThrow(
    `${CONFIG.paths.state_dir} is that of a server which Trove has prepared`,
  );
});
